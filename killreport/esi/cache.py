"""Answers kept until they expire, shared by all processes; afterwards their ETag spares the body."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from killreport.db.database import Database

_PUT = """
insert into esi_cache (key, body, etag, pages, modified, expires_at) values ($1, $2, $3, $4, $5, $6)
on conflict (key) do update
   set body = excluded.body, etag = excluded.etag, pages = excluded.pages, modified = excluded.modified,
       expires_at = excluded.expires_at
"""
# An answer that expired this long ago is hardly asked for again.
KEEP_DAYS = 40


@dataclass(frozen=True, slots=True)
class CachedAnswer:
    """An answer. modified: Last-Modified as sent."""

    body: bytes
    etag: str | None
    pages: int
    modified: str | None
    expires_at: datetime


async def find_answer(database: Database, key: str) -> CachedAnswer | None:
    """Return the answer kept under this key, expired or not."""
    async with database.connection() as connection:
        row = await connection.fetchrow(
            "select body, etag, pages, modified, expires_at from esi_cache where key = $1", key
        )
    return None if row is None else CachedAnswer(*row)


async def put_answer(database: Database, key: str, answer: CachedAnswer) -> None:
    """Keep the answer under this key, instead of what was there."""
    async with database.connection() as connection:
        await connection.execute(_PUT, key, answer.body, answer.etag, answer.pages, answer.modified, answer.expires_at)


async def prune_answers(database: Database) -> None:
    """Forget what expired long ago."""
    async with database.connection() as connection:
        await connection.execute(
            "delete from esi_cache where expires_at < now() - make_interval(days => $1)", KEEP_DAYS
        )
