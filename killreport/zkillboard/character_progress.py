"""How far the walk through a character's killmails on zKillboard has come, as stored.

A page that was done and is delivered once more, because its worker died before it could say so, must not begin a
second walk beside the first: each page is noted when its successor is published, and a noted page is not read again.
"""

from __future__ import annotations

from killreport.db.database import Connection


async def is_page_done(connection: Connection, character_id: int, page: int) -> bool:
    """Return whether this walk has passed the page; page 1 begins a new walk, so it never has."""
    if page == 1:
        return False
    passed: bool | None = await connection.fetchval(
        "select page >= $2 from character_history where character_id = $1", character_id, page
    )
    return bool(passed)


async def note_page(connection: Connection, character_id: int, page: int, *, is_last: bool) -> None:
    """Note that the page is stored and the next one published, or that there is none."""
    await connection.execute(
        """insert into character_history (character_id, page, finished_at)
           values ($1, $2, case when $3 then now() end)
           on conflict (character_id) do update
               set page = excluded.page, updated_at = now(), finished_at = excluded.finished_at""",
        character_id,
        page,
        is_last,
    )
