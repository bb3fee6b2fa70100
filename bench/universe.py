"""The static data and prices the package brings, in memory without a database, for benches and rule tests."""

from __future__ import annotations

from killreport.eve.load import keep_packaged_universe
from killreport.eve.seed import read_reference_prices
from killreport.eve.universe import Universe
from killreport.market.price import Price, PriceBook, PriceRule


def seed_universe() -> Universe:
    """Return the packaged static data, the same object every time."""
    return keep_packaged_universe()


def seed_prices() -> PriceBook:
    """Return a book that knows the packaged reference prices and no market day."""
    references = {row.type_id: Price(row.cents, PriceRule(row.rule), row.day) for row in read_reference_prices()}
    return PriceBook(seed_universe(), references)
