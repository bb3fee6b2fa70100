"""A small universe and a price book over it."""

from __future__ import annotations

from pathlib import Path

import killreport.eve.seed
from killreport.eve.universe import Type, Universe
from killreport.market.price import Price, PriceBook, PriceRule
from tests.factories import make_type

SEED = Path(killreport.eve.seed.__file__).parent / killreport.eve.seed.ARCHIVE

RIFTER, TRITANIUM, CAPSULE, GOLDEN_CAPSULE, SKIN, REVENANT, AVATAR, MORDUNIUM, WORTHLESS, UNKNOWN = (
    *(587, 34, 670, 33328, 90003, 3514, 11567, 74521, 90001, 90002),
)


def type_of(type_id: int, group_id: int, category_id: int, base_price: float | None) -> Type:
    """Return a published type with no dogma."""
    return make_type(type_id, f"type {type_id}", group_id, category_id, base_price=base_price)


def small_universe() -> Universe:
    """Return a universe with one type for each rule."""
    types = [
        type_of(RIFTER, 25, 6, 400000.0),
        type_of(TRITANIUM, 18, 4, 2.0),
        type_of(CAPSULE, 29, 6, 7.0),
        type_of(GOLDEN_CAPSULE, 29, 6, None),
        type_of(SKIN, 1950, 91, 5.0),
        type_of(REVENANT, 659, 6, 1.0),
        type_of(AVATAR, 30, 6, 48_000_000_000.0),
        type_of(MORDUNIUM, 4513, 25, 9.0),
        type_of(WORTHLESS, 1, 1, 0.0),
    ]
    return Universe(
        types={row.type_id: row for row in types},
        groups={},
        categories={},
        market_groups={},
        meta_groups={},
        regions={},
        constellations={},
        systems={},
        factions={},
        corporations={},
    )


def small_book(version: int = 0) -> PriceBook:
    """Return a book over the small universe that knows one observation and one average."""
    references = {
        TRITANIUM: Price(412, PriceRule.REFERENCE_MARKET),
        CAPSULE: Price(99, PriceRule.REFERENCE_AVERAGE),
        REVENANT: Price(99, PriceRule.REFERENCE_AVERAGE),
    }
    return PriceBook(small_universe(), references, version)
