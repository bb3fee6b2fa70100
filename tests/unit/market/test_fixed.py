"""The table of fixed prices: sound rows, and the hulls whose price changed."""

from __future__ import annotations

from datetime import date
from itertools import pairwise

from killreport.eve.importer import read_static_data
from killreport.market.fixed import FIXED_GROUP_PRICES, FIXED_PRICES, by_type
from tests.unit.market.books import SEED


def test_every_row_has_a_worth_and_a_source() -> None:
    assert all(price.isk >= 0.01 and price.source for price in FIXED_PRICES)


def test_no_day_has_two_prices_of_a_type_and_a_change_leaves_no_gap() -> None:
    for prices in by_type(FIXED_PRICES).values():
        assert prices[0].since is None
        assert prices[-1].until is None
        assert all(before.until is not None and before.until == after.since for before, after in pairwise(prices))


def test_every_type_and_group_exists() -> None:
    data = read_static_data(SEED, "seed")
    ids = {rows.table: {row[0] for row in rows.rows} for rows in data.tables}

    assert {price.type_id for price in FIXED_PRICES} <= ids["eve_type"]
    assert set(FIXED_GROUP_PRICES) <= ids["eve_group"]


def test_a_price_ends_the_day_the_next_begins() -> None:
    earlier, later = by_type(FIXED_PRICES)[3514]

    assert (earlier.isk, later.isk) == (100e9, 250e9)
    assert [earlier.holds_on(date(2023, 11, 30)), later.holds_on(date(2023, 11, 30))] == [True, False]
    assert [earlier.holds_on(date(2023, 12, 1)), later.holds_on(date(2023, 12, 1))] == [False, True]
