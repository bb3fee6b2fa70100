"""Pages by number."""

from __future__ import annotations

from datetime import timedelta

import pytest

from killreport.db.database import Database
from killreport.errors import Refused
from killreport.killmail.filters.tree import EVERYTHING
from killreport.killmail.lists import numbered
from killreport.killmail.lists.numbered import MAX_PAGES, REMEMBERED_SECONDS, NumberedPages
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import NOON, arrival, store, store_many


class Clock:
    """A clock that is set by hand."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


async def test_a_page_goes_on_where_the_one_before_ended_until_that_is_forgotten(
    writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 401)
    clock = Clock()
    pages = NumberedPages(clock)

    async def first_of(page: int) -> int:
        async with database.connection() as connection:
            rows = await pages.read(connection, EVERYTHING, page)
        return rows[0].killmail_id

    before = [await first_of(1), await first_of(2)]
    await store(writer, database, arrival(9_000, NOON + timedelta(days=1)))
    remembered = await first_of(2)
    clock.now = REMEMBERED_SECONDS
    forgotten = await first_of(2)

    assert (before, remembered, forgotten) == ([1400, 1200], 1200, 1201)


async def test_a_condition_of_its_own_decides_what_counts_and_is_remembered_apart(
    writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 450)
    pages = NumberedPages()

    async with database.connection() as connection:
        everything = await pages.read(connection, EVERYTHING, 2)
        even = await pages.read(connection, EVERYTHING, 2, ("even", lambda row: row.killmail_id % 2 == 0))

    assert everything[0].killmail_id == 1249
    assert [row.killmail_id for row in even] == list(range(1048, 999, -2))


async def test_a_page_too_far_away_is_refused(
    writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_many(writer, database, 401)
    monkeypatch.setattr(numbered, "MAX_PAGES", 2)
    async with database.connection() as connection:
        with pytest.raises(Refused, match="narrow it by year and month"):
            await NumberedPages().read(connection, EVERYTHING, 1, ("none", lambda _row: False))
        with pytest.raises(Refused, match="page must be from 1 to 2"):
            await NumberedPages().read(connection, EVERYTHING, MAX_PAGES)
