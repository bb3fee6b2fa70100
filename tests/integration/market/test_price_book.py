"""Market days in the database: stored, smoothed, remembered, and noticed when they change."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta

import pytest

from killreport.db.database import Connection, Database
from killreport.eve.load import load_universe
from killreport.market import price as price_module
from killreport.market.price import Price, PriceBook, PriceRule, load_price_book
from killreport.market.store import PriceDay, store_prices

TRITANIUM, RIFTER, CAPSULE, REVENANT, AVATAR, UNSOLD = 34, 587, 670, 3514, 11567, 11
DAY = date(2024, 5, 6)
RIFTER_BASE_PRICE = Price(40_000_000, PriceRule.BASE_PRICE)


def days_before(type_id: int, averages: Iterable[int], last: date = DAY) -> list[PriceDay]:
    """Return one market day an average, the first on `last`, each a day older than the one before."""
    return [PriceDay(type_id, last - timedelta(days=age), average, "test") for age, average in enumerate(averages)]


async def book_of(connection: Connection) -> PriceBook:
    """Return a new book over the whole static data."""
    return await load_price_book(connection, await load_universe(connection))


async def price_after_prefetch(connection: Connection, type_id: int, day: date = DAY) -> Price:
    """Return what a new book says when it was allowed to look."""
    book = await book_of(connection)
    await book.prefetch(connection, [type_id], [day])
    return book.price(type_id, day)


async def test_without_market_days_the_packaged_prices_answer(database: Database) -> None:
    async with database.connection() as connection:
        book = await book_of(connection)
        await book.prefetch(connection, [RIFTER, UNSOLD, CAPSULE, 38], [DAY])

    assert book.price(38, DAY) == Price(123_780, PriceRule.REFERENCE_AVERAGE)
    assert book.price(RIFTER, DAY) == RIFTER_BASE_PRICE
    assert book.price(UNSOLD, DAY) == Price(0, PriceRule.UNKNOWN)
    assert book.price(CAPSULE, DAY) == Price(1_000_000, PriceRule.CAPSULE)


@pytest.mark.parametrize(
    ("averages", "expected"),
    [
        ([500], Price(500, PriceRule.MARKET_MEAN)),
        ([900, 500], Price(700, PriceRule.MARKET_MEAN)),
        ([500, 900], Price(500, PriceRule.MARKET_DAY)),
        ([500, 500, 500, 500, 500, 90_000, 90_000], Price(500, PriceRule.MARKET_TRIMMED)),
        # The 35th day is too old to count; two at each end are left out of the others.
        ([500] * 32 + [1, 1] + [7_000_000], Price(500, PriceRule.MARKET_TRIMMED)),
    ],
)
async def test_stored_days_give_the_smoothed_average(database: Database, averages: list[int], expected: Price) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days_before(RIFTER, averages))

        assert await price_after_prefetch(connection, RIFTER) == expected


async def test_days_after_the_kill_do_not_count(database: Database) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days_before(RIFTER, [900, 700], last=DAY + timedelta(days=1)))

        assert await price_after_prefetch(connection, RIFTER) == Price(700, PriceRule.MARKET_MEAN)
        assert await price_after_prefetch(connection, RIFTER, DAY - timedelta(days=1)) == RIFTER_BASE_PRICE


async def test_old_days_count_while_there_are_no_newer_ones(database: Database) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days_before(RIFTER, [700], last=date(2015, 1, 1)))

        assert await price_after_prefetch(connection, RIFTER) == Price(700, PriceRule.MARKET_MEAN)


async def test_rules_above_the_market_ignore_it(database: Database) -> None:
    async with database.connection() as connection:
        for type_id in (CAPSULE, REVENANT, AVATAR):
            await store_prices(connection, days_before(type_id, [500]))

        assert await price_after_prefetch(connection, CAPSULE) == Price(1_000_000, PriceRule.CAPSULE)
        assert await price_after_prefetch(connection, REVENANT) == Price(25_000_000_000_000, PriceRule.FIXED)
        assert (await price_after_prefetch(connection, AVATAR)).rule is PriceRule.FIXED


async def test_a_type_without_market_days_falls_back_while_others_have_some(database: Database) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days_before(RIFTER, [500]))

        assert await price_after_prefetch(connection, 38) == Price(123_780, PriceRule.REFERENCE_AVERAGE)


async def test_many_types_and_days_are_fetched_at_once(database: Database) -> None:
    async with database.connection() as connection:
        await store_prices(connection, [*days_before(RIFTER, [600, 500]), *days_before(TRITANIUM, [5, 5])])
        book = await book_of(connection)
        yesterday = DAY - timedelta(days=1)
        await book.prefetch(connection, [RIFTER, TRITANIUM, CAPSULE, 4_000_000], [DAY, yesterday])

    assert book.price(RIFTER, DAY) == Price(550, PriceRule.MARKET_MEAN)
    assert book.price(RIFTER, yesterday) == Price(500, PriceRule.MARKET_MEAN)
    assert book.price(TRITANIUM, DAY) == Price(5, PriceRule.MARKET_MEAN)
    assert book.price(4_000_000, DAY) == Price(0, PriceRule.UNKNOWN)


async def test_prices_stored_later_are_noticed_at_the_next_prefetch(database: Database) -> None:
    async with database.connection() as connection:
        book = await book_of(connection)
        await book.prefetch(connection, [RIFTER], [DAY])
        before = book.price(RIFTER, DAY)
        await store_prices(connection, days_before(RIFTER, [600]))
        await book.prefetch(connection, [RIFTER], [DAY])
        first = book.price(RIFTER, DAY)
        await store_prices(connection, days_before(RIFTER, [800]))
        await book.prefetch(connection, [RIFTER], [DAY])

    assert before == RIFTER_BASE_PRICE
    assert first == Price(600, PriceRule.MARKET_MEAN)
    assert book.price(RIFTER, DAY) == Price(800, PriceRule.MARKET_MEAN)


async def test_the_same_days_stored_again_change_nothing(database: Database) -> None:
    rows = days_before(RIFTER, [500, 600])
    async with database.connection() as connection:
        assert await store_prices(connection, rows) == 2
        assert await store_prices(connection, rows) == 0
        assert await store_prices(connection, []) == 0
        assert await connection.fetchval("select version from price_version") == 1
        assert await store_prices(connection, [*rows, PriceDay(RIFTER, DAY, 700, "test")]) == 1

        assert await connection.fetchval("select version from price_version") == 2
        stored = await connection.fetch("select day, average_cents, source from price_day order by day desc")
    assert [tuple(row) for row in stored] == [(DAY, 700, "test"), (DAY - timedelta(days=1), 600, "test")]


async def test_a_batch_fetched_before_somebody_stored_prices_keeps_those_it_fetched(database: Database) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days_before(RIFTER, [600]))
        book = await book_of(connection)
        await book.prefetch(connection, [RIFTER], [DAY])
        await store_prices(connection, days_before(TRITANIUM, [5]))
        await book.prefetch(connection, [TRITANIUM], [DAY])

    assert book.price(RIFTER, DAY) == Price(600, PriceRule.MARKET_MEAN)
    assert book.price(TRITANIUM, DAY) == Price(5, PriceRule.MARKET_MEAN)


async def test_a_book_that_remembers_too_much_forgets_the_batch_before_last(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(price_module, "MAX_REMEMBERED", 1)
    earlier, later = DAY - timedelta(days=1), DAY
    async with database.connection() as connection:
        await store_prices(connection, days_before(RIFTER, [700, 700]))
        book = await book_of(connection)
        await book.prefetch(connection, [RIFTER], [earlier])
        await book.prefetch(connection, [RIFTER], [later])
        both = [book.price(RIFTER, day).rule for day in (earlier, later)]
        await book.prefetch(connection, [TRITANIUM], [later])

    assert both == [PriceRule.MARKET_MEAN, PriceRule.MARKET_MEAN]
    assert book.price(RIFTER, later) == Price(700, PriceRule.MARKET_MEAN)
    assert book.price(RIFTER, earlier) == RIFTER_BASE_PRICE
