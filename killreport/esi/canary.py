"""Questions that ESI answered, one a route, kept for every process: who asks again learns whether the route works."""

from __future__ import annotations

import msgspec

from killreport.db.database import Database
from killreport.decoding import decode_json
from killreport.errors import Malformed


class CanaryRequest(msgspec.Struct, frozen=True):
    """What was asked, never with a token. query: names and values. body: of a POST; None for a GET."""

    path: str
    query: tuple[tuple[str, str], ...] = ()
    body: str | None = None


async def find_canary(database: Database, route: str) -> CanaryRequest | None:
    """Return what the route answered lately, None where it never did, or where another version wrote it."""
    async with database.connection() as connection:
        written = await connection.fetchval("select question from esi_witness where route = $1", route)
    if written is None:
        return None
    try:
        return decode_json(written.encode(), CanaryRequest)
    except Malformed:
        return None


async def put_canary(database: Database, route: str, question: CanaryRequest) -> None:
    """Keep the question as the route's, instead of the one before."""
    async with database.connection() as connection:
        await connection.execute(
            """insert into esi_witness (route, question, answered_at) values ($1, $2, now())
               on conflict (route) do update set question = excluded.question, answered_at = excluded.answered_at""",
            route,
            msgspec.json.encode(question).decode(),
        )
