"""Pages of killmails and what is related to one."""

from __future__ import annotations

from datetime import timedelta

import pytest

from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.count import ListCount, count_killmails
from killreport.killmail.lists.of_many import Sides, list_killmails_of, list_related
from killreport.killmail.lists.page import Cursor, Order, cursor_of
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.stored.queries import MAX_PAGE, get_killmails
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import ALLIANCE, KILLERS_CORPORATION, NOON, arrival, store

HOUR = timedelta(hours=1)
SECOND = timedelta(seconds=1)


async def test_killmails_of_one_second_are_ordered_by_id_and_pages_neither_skip_nor_repeat(
    database: Database, writer: KillmailWriter
) -> None:
    await store(writer, database, *(arrival(mail_id, NOON) for mail_id in range(1, 6)), arrival(9, NOON - HOUR))
    wanted = KillmailFilter.read({"attackerCorporation": [KILLERS_CORPORATION], "victimAlliance": [ALLIANCE]})
    async with database.connection() as connection:
        first = await list_killmails(connection, wanted, first=2)
        second = await list_killmails(connection, wanted, first=4, after=cursor_of(first.rows[-1]))
        back = await list_killmails(connection, wanted, last=2, before=cursor_of(second.rows[1]))
    assert [row.killmail_id for row in first.rows] == [5, 4]
    assert first.has_more
    assert [row.killmail_id for row in second.rows] == [3, 2, 1, 9]
    assert not second.has_more
    assert [row.killmail_id for row in back.rows] == [4, 3]
    assert back.has_more


async def test_a_late_killmail_with_a_large_id_stands_where_its_time_belongs(
    database: Database, writer: KillmailWriter
) -> None:
    await store(writer, database, arrival(1, NOON), arrival(2, NOON + HOUR), arrival(3, NOON - HOUR))
    wanted = KillmailFilter.read({"attackerCorporation": [KILLERS_CORPORATION]})
    async with database.connection() as connection:
        page = await list_killmails(connection, wanted, first=3)
    assert [row.killmail_id for row in page.rows] == [2, 1, 3]


async def test_a_cursor_need_not_be_a_stored_killmail(database: Database, writer: KillmailWriter) -> None:
    await store(writer, database, arrival(1, NOON), arrival(2, NOON + HOUR))
    async with database.connection() as connection:
        page = await list_killmails(connection, first=5, after=Cursor(NOON + SECOND, 0))
        by_value = await list_killmails(connection, order=Order.MOST_VALUABLE, first=5, after=Cursor(10**17, 1))
    assert [row.killmail_id for row in page.rows] == [1]
    assert [row.killmail_id for row in by_value.rows] == [2, 1]


@pytest.mark.parametrize(("first", "last"), [(None, None), (1, 1), (0, None), (None, MAX_PAGE + 1)])
async def test_a_page_that_cannot_be_is_refused(database: Database, first: int | None, last: int | None) -> None:
    async with database.connection() as connection:
        with pytest.raises(ValueError, match="one of first and last is needed"):
            await list_killmails(connection, first=first, last=last)


async def test_related_kills_are_those_of_the_system_from_an_hour_before_to_two_after(
    database: Database, writer: KillmailWriter
) -> None:
    times = [-HOUR - SECOND, -HOUR, timedelta(), HOUR, 2 * HOUR - SECOND, 2 * HOUR]
    await store(writer, database, *(arrival(mail_id, NOON + time) for mail_id, time in enumerate(times, start=1)))
    async with database.connection() as connection:
        (row,) = await get_killmails(connection, [3])
        (page,) = await list_related(connection, [row], MAX_PAGE)
    assert [found.killmail_id for found in page.rows] == [2, 3, 4, 5]


@pytest.mark.parametrize("is_forward", [True, False])
async def test_pages_of_entities_are_those_of_the_filter_when_kills_are_days_apart(
    database: Database, writer: KillmailWriter, *, is_forward: bool
) -> None:
    await store(writer, database, *(arrival(number, NOON - number * timedelta(days=3)) for number in range(1, 61)))
    wanted = KillmailFilter.read({"alliance": [ALLIANCE]})
    at = Cursor(NOON - timedelta(days=60), 0)
    async with database.connection() as connection:
        for cursor in (None, at):
            if is_forward:
                page = await list_killmails(connection, wanted, first=25, after=cursor)
            else:
                page = await list_killmails(connection, wanted, last=25, before=cursor)
            pages = await list_killmails_of(
                connection,
                EntityKind.ALLIANCE,
                [ALLIANCE, ALLIANCE + 1],
                Sides.EITHER,
                size=25,
                cursor=cursor,
                is_forward=is_forward,
            )
            assert pages[ALLIANCE] == page
            assert pages[ALLIANCE + 1].rows == []
            assert len(page.rows) > 18


async def test_a_killmail_that_is_gone_between_two_statements_is_not_counted(
    database: Database, writer: KillmailWriter
) -> None:
    await store(writer, database, arrival(1, NOON), arrival(2, NOON + HOUR))
    wanted = KillmailFilter.read({"alliance": [ALLIANCE], "from": NOON - SECOND})
    async with database.connection() as connection:
        await connection.execute("delete from killmail where killmail_id = 1")
        assert await count_killmails(connection, [wanted]) == [ListCount(1)]
