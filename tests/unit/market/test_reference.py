"""CCP's averages become references; its adjusted prices do not."""

from __future__ import annotations

from datetime import date

from killreport.esi.model import MarketPrice
from killreport.market.price import PriceRule
from killreport.market.reference import SOURCE, average_references
from killreport.market.store import PriceReference

DAY = date(2026, 11, 24)


def test_an_average_is_a_reference_and_anything_else_is_none() -> None:
    prices = [
        MarketPrice(type_id=34, average_price=4.015, adjusted_price=9.0),
        MarketPrice(type_id=35, adjusted_price=9.0),
        MarketPrice(type_id=36, average_price=0.0),
        MarketPrice(type_id=37, average_price=0.004),
        MarketPrice(type_id=38, average_price=1e300),
    ]
    rule = PriceRule.REFERENCE_AVERAGE
    assert average_references(prices, DAY) == [PriceReference(34, 401, rule, DAY, SOURCE)]


def test_a_price_that_is_made_up_says_so() -> None:
    (found,) = average_references([MarketPrice(type_id=34, average_price=4.0, source="made up")], DAY)
    assert found.source == f"{SOURCE}, made up"
