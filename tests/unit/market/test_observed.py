"""How old a price is by the day it is asked for."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from killreport.market.observed import MarketDays

DAY = date(2026, 11, 20)


@pytest.mark.parametrize(("age", "is_fresh"), [(0, True), (90, True), (91, False), (500, False)])
def test_a_market_is_alive_for_a_quarter_after_its_last_day(age: int, is_fresh: bool) -> None:
    assert MarketDays([1], None, DAY - timedelta(days=age)).is_fresh(DAY) is is_fresh


@pytest.mark.parametrize(
    ("other", "is_nearer"),
    [
        (None, True),
        (DAY, False),
        (DAY - timedelta(days=100), True),  # as old
        (DAY - timedelta(days=99), False),
        # An observation of later is as good as one of before.
        (DAY + timedelta(days=99), False),
        (DAY + timedelta(days=101), True),
    ],
)
def test_the_observation_from_nearer_the_day_counts(other: date | None, is_nearer: bool) -> None:
    assert MarketDays([1], None, DAY - timedelta(days=100)).is_nearer(DAY, other) is is_nearer
