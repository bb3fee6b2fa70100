"""Old prices lose against younger ones, and what is built is priced by its materials' market days."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from killreport.db.database import Connection, Database
from killreport.eve.load import load_universe
from killreport.market.price import Price, PriceBook, PriceRule, load_price_book
from killreport.market.store import PriceDay, PriceReference, store_prices, store_references

TRITANIUM, PYERITE, PLEX, RIFTER, COMPONENT, KEEPSTAR = 34, 35, 44992, 587, 21017, 35834
LAST_OF_THE_FORGE = date(2025, 7, 6)
ASKED = date(2026, 11, 20)
OLD, NOW = 5_000_000_00, 6_800_000_00


def days(type_id: int, cents: int, last: date, number: int = 34) -> list[PriceDay]:
    """Return so many market days with this average, the newest on `last`."""
    return [PriceDay(type_id, last - timedelta(days=age), cents, "test") for age in range(number)]


def reference(type_id: int, cents: int, day: date) -> PriceReference:
    return PriceReference(type_id, cents, PriceRule.REFERENCE_AVERAGE, day, "test")


async def price_of(connection: Connection, type_id: int, day: date = ASKED) -> Price:
    """Return what a new book says when it was allowed to look."""
    book = await book_of(connection)
    await book.prefetch(connection, [type_id], [day])
    return book.price(type_id, day)


async def book_of(connection: Connection) -> PriceBook:
    return await load_price_book(connection, await load_universe(connection))


async def test_plex_costs_what_it_costs_now_and_not_what_it_did_in_the_forge(database: Database) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days(PLEX, OLD, LAST_OF_THE_FORGE))
        await store_references(connection, [reference(PLEX, NOW, ASKED)])
        found = await price_of(connection, PLEX)
        assert (found, found.day) == (Price(NOW, PriceRule.REFERENCE_AVERAGE), ASKED)
        # The same rows, while the market was there: its own days count.
        assert await price_of(connection, PLEX, LAST_OF_THE_FORGE) == Price(OLD, PriceRule.MARKET_TRIMMED)

        # The first day of the new market counts alone, not as one of thirty-four with what was a year before it.
        await store_prices(connection, days(PLEX, NOW + 100, ASKED, 1))
        assert await price_of(connection, PLEX) == Price(NOW + 100, PriceRule.MARKET_MEAN)


@pytest.mark.parametrize(
    ("age", "seen_on", "cents"),
    [
        (90, ASKED, OLD),  # traded in the quarter: the market has the word
        (91, ASKED, NOW),
        (91, ASKED - timedelta(days=90), NOW),
        (91, ASKED - timedelta(days=91), OLD),
        (91, ASKED + timedelta(days=92), OLD),
    ],
)
async def test_an_old_market_day_loses_against_a_reference_from_nearer_the_day(
    database: Database, age: int, seen_on: date, cents: int
) -> None:
    async with database.connection() as connection:
        await store_prices(connection, days(PLEX, OLD, ASKED - timedelta(days=age)))
        await store_references(connection, [reference(PLEX, NOW, seen_on)])
        assert (await price_of(connection, PLEX)).cents == cents


async def test_an_old_market_day_is_better_than_none_and_than_a_reference_without_a_day(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from price_reference")
        await store_prices(connection, days(RIFTER, OLD, ASKED - timedelta(days=1000)))
        assert (await price_of(connection, RIFTER)).cents == OLD
        await connection.execute(
            "insert into price_reference (type_id, cents, rule, day, source) values ($1, 7, 21, null, 'x')", RIFTER
        )
        assert (await price_of(connection, RIFTER)).cents == OLD


async def test_what_nobody_sells_costs_its_materials_on_that_day(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from price_reference")
        await connection.execute(
            """insert into eve_blueprint values
                   (1, $1, 1, false, '{21017,35}', '{10,10}'), (2, $2, 2, false, '{34}', '{100}')""",
            KEEPSTAR,
            COMPONENT,
        )
        earlier = ASKED - timedelta(days=200)
        await store_prices(connection, days(TRITANIUM, 4_00, ASKED) + days(PYERITE, 10_00, ASKED))
        await store_prices(connection, days(TRITANIUM, 2_00, earlier) + days(PYERITE, 10_00, earlier))
        book = await book_of(connection)
        await book.prefetch(connection, [KEEPSTAR], [ASKED, earlier])

        # A component: 90 x 4.00 / 2 = 180.00. The whole: 9 x 180.00 + 9 x 10.00.
        assert book.price(KEEPSTAR, ASKED) == Price(1_710_00, PriceRule.BUILD_COST)
        assert book.price(COMPONENT, ASKED) == Price(180_00, PriceRule.BUILD_COST)
        assert book.price(KEEPSTAR, earlier) == Price(900_00, PriceRule.BUILD_COST)
        assert book.price(KEEPSTAR, ASKED) is book.price(KEEPSTAR, ASKED)

        # A market for it, and for a component, has the word over the materials.
        await store_prices(connection, days(COMPONENT, 200_00, ASKED))
        assert (await price_of(connection, KEEPSTAR)).cents == 1_890_00
        await store_prices(connection, days(KEEPSTAR, 5_000_00, ASKED))
        assert (await price_of(connection, KEEPSTAR)).rule is PriceRule.MARKET_TRIMMED


@pytest.mark.parametrize("name", ["Keepstar", "Sotiyo", "Tatara", "Raitaru", "Metenox Moon Drill", "Customs Office"])
async def test_a_structure_of_which_nothing_is_known_has_no_price(database: Database, name: str) -> None:
    async with database.connection() as connection:
        type_id = await connection.fetchval("select type_id from eve_type where name = $1", name)
        assert await price_of(connection, type_id) == Price(0, PriceRule.UNKNOWN)
