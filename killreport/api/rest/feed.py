"""The board's own feed, in the shape of zKillboard's R2Z2, and as pages for whoever has much to catch up with.

Numbers begin at 0, have no holes and never expire. What a number holds is told at the time it is read: the killmail
never changes; where its `zkb` block does, the killmail is published again under a new number.
"""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from killreport.api.rest.endpoint import context_of, json_answer, media_of, tagged, whole_number
from killreport.api.rest.formats import NDJSON
from killreport.api.rest.toll import visit_of
from killreport.db.database import Connection
from killreport.errors import NotFound
from killreport.killmail.package import list_packages
from killreport.killmail.published import MOST_PUBLISHED, MOST_SEQUENCE, next_sequence

IMMUTABLE = "public, max-age=86400, immutable"
DEFAULT_LIMIT = 100
STEP = 100


async def answer_sequence(request: Request) -> Response:
    """Answer the newest number; 0 where there is none yet, which will be the first."""
    async with context_of(request).database.connection() as connection:
        upcoming = await next_sequence(connection)
    return json_answer({"sequence": max(upcoming - 1, 0)})


async def answer_package(request: Request) -> Response:
    """Answer the package of a number. Raises NotFound where it is not there yet."""
    sequence = whole_number(request.path_params["sequence"], "sequence", 0, MOST_SEQUENCE)
    await visit_of(request).pay_for(1)
    async with context_of(request).database.connection() as connection:
        found = await list_packages(connection, sequence, 1)
    if not found:
        raise NotFound(f"{sequence} is not published yet")
    return tagged(request, json_answer(found[0], cache=IMMUTABLE))


async def _packages(connection: Connection, first: int, limit: int) -> list[dict[str, Any]]:
    """Return the packages in steps, between which others have the loop: a thousand take a second to make."""
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        step = await list_packages(connection, first, min(STEP, limit - len(found)))
        if not step:
            break
        found += step
        first = step[-1]["sequence_id"] + 1
    return found


async def answer_page(request: Request) -> Response:
    """Answer the packages after a number, as one JSON object or as lines."""
    query = request.query_params
    after = whole_number(query["after"], "after", 0, MOST_SEQUENCE) if "after" in query else -1
    limit = whole_number(query.get("limit", str(DEFAULT_LIMIT)), "limit", 1, MOST_PUBLISHED)
    paid = await visit_of(request).pay_for(limit)
    async with context_of(request).database.connection() as connection:
        packages = await _packages(connection, after + 1, limit)
    await paid.settle(len(packages))
    newest = packages[-1]["sequence_id"] if packages else after
    # A full page never changes but in the figures beside its killmails.
    cache = "public, max-age=3600" if len(packages) == limit else "no-store"
    if media_of(request) == NDJSON:
        headers = {"Cache-Control": cache, "X-Next-After": str(newest)}
        return Response(msgspec.json.Encoder().encode_lines(packages), 200, headers, NDJSON)
    found = {"packages": packages, "next_after": newest if newest >= 0 else None}
    return json_answer(found, cache=cache)
