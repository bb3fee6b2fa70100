"""The smoothed average, at each number of days where the rule changes."""

from __future__ import annotations

import pytest

from killreport.market.average import smoothed_average


@pytest.mark.parametrize(
    ("averages", "expected"),
    [
        ([100], 100),
        ([100, 101], 101),
        ([100, 100, 101], 100),
        # Six days are taken as they are, pumped or not.
        ([100] * 5 + [700], 200),
        # Seven lose the two highest.
        ([100] * 5 + [700, 900], 100),
        ([1, 100, 100, 100, 100, 700, 900], 80),
        # Thirty-three still keep their lowest.
        ([0, 0] + [310] * 29 + [900, 900], 290),
        # Thirty-four lose two at each end.
        ([0, 0] + [300] * 30 + [900, 900], 300),
        ([0, 0, 0] + [300] * 29 + [900, 900], 290),
    ],
)
def test_the_extremes_are_left_out_as_the_days_grow(averages: list[int], expected: int) -> None:
    assert smoothed_average(averages) == expected
    assert smoothed_average(averages[::-1]) == expected


def test_half_a_cent_is_rounded_up() -> None:
    assert smoothed_average([1, 2]) == 2


def test_the_largest_amounts_stay_exact() -> None:
    assert smoothed_average([2**62, 2**62 + 2]) == 2**62 + 1


def test_no_day_has_no_average() -> None:
    with pytest.raises(ValueError, match="needs a day"):
        smoothed_average([])
