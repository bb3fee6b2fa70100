"""Completeness compares what is stored of a day with what zKillboard last said."""

from __future__ import annotations

from datetime import UTC, date, datetime

from killreport.db.database import Database
from killreport.killmail.stored.coverage import Completeness, keep_published, list_completeness
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.killmail.mails import arrival

EARLIER, LATER = datetime(2021, 12, 4, tzinfo=UTC), datetime(2021, 12, 5, tzinfo=UTC)
FIRST, SECOND, THIRD = (date(2021, 12, day) for day in (1, 2, 3))


async def test_every_day_of_either_side_is_compared_with_the_latest_total(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, [arrival(1), arrival(2)])  # both on the second
    async with database.connection() as connection:
        untold = await list_completeness(connection, FIRST, THIRD)
        await keep_published(connection, {SECOND: 4, THIRD: 5}, LATER)
        await keep_published(connection, {FIRST: 7, SECOND: 3}, EARLIER)
        told = await list_completeness(connection, FIRST, SECOND)
        all_of_them = await list_completeness(connection, FIRST, THIRD)
    assert untold == [Completeness(SECOND, 2, None, None)]
    assert told == [Completeness(FIRST, 0, 7, EARLIER), Completeness(SECOND, 2, 4, LATER)]
    assert all_of_them[2:] == [Completeness(THIRD, 0, 5, LATER)]
