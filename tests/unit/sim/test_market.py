"""The made-up market has a believable price for everything that is traded, and the same whenever it is asked."""

from __future__ import annotations

import itertools
from datetime import date, timedelta

import pytest

from killreport.eve.universe import Universe
from killreport.sim.world.market import MadeUpMarket

DAY = date(2026, 11, 20)
M, B = 1e6, 1e9


@pytest.fixture(scope="module")
def market(universe: Universe) -> MadeUpMarket:
    return MadeUpMarket(universe)


def prices_of(market: MadeUpMarket, universe: Universe, category: str, group: str = "", meta: int = 1) -> list[float]:
    """Return the prices of the types of a category or a group, of one meta group."""
    found = [
        market.price_in(kind, 0, DAY)
        for kind in market.traded
        if universe.categories[kind.category_id].name == category
        and group in ("", universe.groups[kind.group_id].name)
        and (kind.meta_group_id or 1) == meta
    ]
    assert found
    return sorted(found)


@pytest.mark.parametrize(
    ("kind", "least", "most"),
    [
        (("Ship", "Frigate", 1), 0.3 * M, 1 * M),
        (("Ship", "Destroyer", 1), 1 * M, 3 * M),
        (("Ship", "Cruiser", 1), 6 * M, 20 * M),
        (("Ship", "Battleship", 1), 120 * M, 350 * M),
        (("Ship", "Dreadnought", 1), 2 * B, 6 * B),
        (("Ship", "Carrier", 1), 1.5 * B, 4 * B),
        (("Ship", "Titan", 1), 60 * B, 180 * B),
        (("Ship", "Interceptor", 2), 15 * M, 40 * M),
        (("Ship", "Marauder", 2), 1 * B, 2.5 * B),
        (("Ship", "Cruiser", 4), 70 * M, 160 * M),
        (("Charge", "Hybrid Charge", 1), 5, 3_000),
        (("Charge", "Advanced Railgun Charge", 2), 80, 20_000),
        (("Charge", "Nanite Repair Paste", 1), 10_000, 50_000),
        (("Material", "Mineral", 1), 3, 60_000),
        (("Structure", "Citadel", 1), 0.5 * B, 200 * B),
    ],
)
def test_a_class_costs_what_one_expects(
    market: MadeUpMarket, universe: Universe, kind: tuple[str, str, int], least: float, most: float
) -> None:
    found = prices_of(market, universe, *kind)
    assert least <= found[0] <= found[-1] <= most


def test_modules_are_dearer_the_rarer_they_are(market: MadeUpMarket, universe: Universe) -> None:
    plain, second, deadspace, officer = (
        prices[len(prices) // 2]
        for prices in (prices_of(market, universe, "Module", meta=meta) for meta in (1, 2, 6, 5))
    )
    assert plain < 2 * M < 20 * M < deadspace < officer
    assert plain < second < deadspace


def test_everything_that_is_traded_has_a_price_and_nothing_else(market: MadeUpMarket, universe: Universe) -> None:
    assert len(market.traded) > 15_000
    for kind in market.traded:
        assert 0.01 <= market.price_in(kind, 10000002, DAY) < 500 * B, kind.name
    keepers = [kind for kind in universe.types.values() if kind.market_group_id is None or not kind.is_published]
    assert {market.price(kind.type_id, DAY) for kind in keepers} == {None}
    assert market.price(2**40, DAY) is None


def test_a_price_is_the_same_whenever_it_is_asked_and_drifts_slowly(universe: Universe) -> None:
    first, second = MadeUpMarket(universe), MadeUpMarket(universe)
    days = [DAY + timedelta(days=number) for number in range(60)]
    for type_id in (34, 587, 2048, 44992):
        prices = [first.price(type_id, day) for day in days]
        assert prices == [second.price(type_id, day) for day in reversed(days)][::-1]
        assert len(set(prices)) > 30
        known = [price for price in prices if price is not None]
        assert max(known) < 1.4 * min(known)
        assert all(abs(after / before - 1) < 0.09 for before, after in itertools.pairwise(known))
