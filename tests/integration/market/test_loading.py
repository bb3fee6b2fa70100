"""Which market days are read, and that a late one concerns the days behind it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

from killreport.db.database import Connection, Database
from killreport.market.loading import list_days_to_read, store_market_day
from killreport.market.price import PriceRule
from killreport.market.store import PriceDay, PriceReference, store_prices, store_references

DAY = date(2021, 12, 2)
TODAY = date(2026, 11, 24)


def back(days: int, since: date = DAY) -> date:
    return since - timedelta(days=days)


def prices(day: date, cents: int = 400) -> list[PriceDay]:
    return [PriceDay(34, day, cents, "test")]


async def due(connection: Connection) -> list[date]:
    return [row["day"] for row in await connection.fetch("select day from value_due order by day")]


async def test_a_killmails_day_and_the_window_before_it_are_read_newest_first(database: Database) -> None:
    async with database.connection() as connection:
        days = await list_days_to_read(connection, [DAY, back(1)], TODAY)
    assert days == [back(number) for number in range(35)]


async def test_days_before_the_archive_and_days_that_are_not_over_are_not_asked_for(database: Database) -> None:
    async with database.connection() as connection:
        days = await list_days_to_read(connection, [date(2003, 10, 2), TODAY], TODAY)
    assert days[0] == back(1, TODAY)
    assert days[-2:] == [date(2003, 10, 2), date(2003, 10, 1)]
    assert len(days) == 35


async def test_a_day_that_was_read_is_not_read_again_whether_or_not_there_was_a_file(database: Database) -> None:
    async with database.connection() as connection:
        await store_market_day(connection, DAY, prices(DAY), "test")
        await store_market_day(connection, back(1), [], "test")
        days = await list_days_to_read(connection, [DAY], TODAY)
    assert days[0] == back(2)
    assert len(days) == 32


async def test_a_file_read_while_it_is_amended_is_read_once_more_when_that_is_over(database: Database) -> None:
    today = datetime.now(UTC).date()
    day = back(3, today)
    async with database.connection() as connection:
        await store_market_day(connection, day, prices(day), "test")
        found = [
            day in await list_days_to_read(connection, [day], today + timedelta(days=later)) for later in (0, 4, 5, 6)
        ]
        await store_market_day(connection, day, [], "test")
        missing = [
            day in await list_days_to_read(connection, [day], today + timedelta(days=later)) for later in (0, 4, 5)
        ]
    assert found == [False, False, True, True]
    assert missing == [True, True, True]


async def test_a_late_market_day_makes_itself_and_its_window_due_and_the_same_again_nothing(
    database: Database,
) -> None:
    async with database.connection() as connection:
        assert await store_prices(connection, prices(DAY)) == 1
        assert await due(connection) == [DAY + timedelta(days=number) for number in range(34)]
        await connection.execute("delete from value_due")
        assert await store_prices(connection, prices(DAY)) == 0
        assert await due(connection) == []


async def test_no_day_that_has_not_come_becomes_due(database: Database) -> None:
    today = datetime.now(UTC).date()
    async with database.connection() as connection:
        await store_prices(connection, prices(back(1, today)))
        assert await due(connection) == [back(1, today), today]


async def test_a_younger_reference_replaces_an_older_one_and_never_the_other_way(database: Database) -> None:
    def reference(cents: int, day: date) -> PriceReference:
        return PriceReference(34, cents, PriceRule.REFERENCE_AVERAGE, day, "test")

    async with database.connection() as connection:
        # The package brings an observation of 2014 for the type.
        results = [
            await store_references(connection, [reference(cents, day)])
            for cents, day in ((700, DAY), (700, TODAY), (800, TODAY), (900, DAY))
        ]
        row = await connection.fetchrow("select cents, day from price_reference where type_id = 34")
    assert results == [1, 0, 1, 0]
    assert tuple(row) == (800, TODAY)


async def test_a_reference_that_is_seen_again_is_as_young_as_that(database: Database) -> None:
    def reference(day: date) -> PriceReference:
        return PriceReference(34, 700, PriceRule.REFERENCE_AVERAGE, day, f"seen on {day}")

    async with database.connection() as connection:
        counted = [await store_references(connection, [reference(day)]) for day in (DAY, TODAY, DAY)]
        row = await connection.fetchrow("select day, source from price_reference where type_id = 34")
        assert await connection.fetchval("select version from price_version") == 2
    assert (counted, tuple(row)) == ([1, 0, 0], (TODAY, f"seen on {TODAY}"))
