"""CCP's own average prices as references: what a type is worth where no market day is stored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from killreport.esi.model import MarketPrice
from killreport.market.price import MIN_CENTS, PriceRule
from killreport.market.store import PriceReference

SOURCE = "ESI /markets/prices"
# Beyond it a figure is no price: three times the dearest hull there is.
MAX_CENTS = 10**15


def average_references(prices: Iterable[MarketPrice], day: date) -> list[PriceReference]:
    """Return a reference for every type that has an average of at least a cent.

    The adjusted price is left aside: it weighs the game's own fees and is far from what a type sells for.
    """
    found = []
    for price in prices:
        cents = round((price.average_price or 0.0) * 100)
        if MIN_CENTS <= cents <= MAX_CENTS:
            source = f"{SOURCE}, {price.source}" if price.source else SOURCE
            found.append(PriceReference(price.type_id, cents, PriceRule.REFERENCE_AVERAGE, day, source))
    return found
