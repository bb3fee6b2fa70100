"""What is stored of each day, as zKillboard's history tells it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date

from killreport.clock import span_of_day
from killreport.db.database import Connection, Database
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.page import Cursor, cursor_of
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.mail.hash import hash_of
from killreport.killmail.shown.esi_body import FullKillmail, load_full_killmails
from killreport.killmail.stored.queries import MAX_PAGE


async def count_days(connection: Connection) -> dict[date, int]:
    """Return how many killmails each day has; from the daily totals, not from the killmails."""
    rows = await connection.fetch("select day, killmails from daily_total where killmails > 0 order by day")
    return {row[0]: row[1] for row in rows}


async def count_day(connection: Connection, day: date) -> int:
    """Return how many killmails a day has, from the daily totals."""
    return await connection.fetchval("select killmails from daily_total where day = $1", day) or 0


async def hashes_of_day(connection: Connection, day: date) -> dict[int, str]:
    """Return the id and hash of each killmail of a day, in the order of ids."""
    rows = await connection.fetch(
        """select killmail_id, victim_character_id, final_blow_character_id, ship_type_id, killmail_time
           from killmail where killmail_time >= $1 and killmail_time < $2 order by killmail_id""",
        *span_of_day(day),
    )
    return {killmail_id: hash_of(*parts).hex() for killmail_id, *parts in rows}


async def killmails_of_day(database: Database, day: date) -> AsyncIterator[list[FullKillmail]]:
    """Yield the killmails of a day, a page at a time, so that one page is in memory. Holds no connection between."""
    begin, end = span_of_day(day)
    wanted = KillmailFilter.read({"from": begin, "to": end})
    after: Cursor | None = None
    while True:
        async with database.connection() as connection:
            page = await list_killmails(connection, wanted, first=MAX_PAGE, after=after)
            full = await load_full_killmails(connection, page.rows)
        if full:
            yield full
        if not page.has_more:
            return
        after = cursor_of(page.rows[-1])
