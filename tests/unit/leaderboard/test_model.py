"""Windows begin where the calendar says, and the ratios are zKillboard's."""

from __future__ import annotations

from datetime import date

import pytest

from killreport.leaderboard.model import Window, first_day
from killreport.leaderboard.statistics import Totals


@pytest.mark.parametrize(
    ("window", "today", "expected"),
    [
        (Window.DAY, date(2024, 3, 1), date(2024, 3, 1)),
        (Window.WEEK, date(2024, 3, 3), date(2024, 2, 26)),
        (Window.WEEK, date(2024, 3, 4), date(2024, 3, 4)),
        (Window.MONTH, date(2024, 2, 29), date(2024, 2, 1)),
        (Window.DAYS_7, date(2024, 3, 1), date(2024, 2, 24)),
        (Window.DAYS_30, date(2024, 3, 1), date(2024, 2, 1)),
        (Window.DAYS_90, date(2024, 1, 1), date(2023, 10, 4)),
        (Window.ALL_TIME, date(2024, 3, 1), None),
    ],
)
def test_a_window_begins_on_its_first_day_and_ends_today(window: Window, today: date, expected: date | None) -> None:
    assert first_day(window, today) == expected


def test_losses_to_npcs_do_not_make_a_pilot_less_dangerous() -> None:
    fought = Totals(kills=2, points_won=10, losses=1, points_lost=5)
    also_ratted = Totals(kills=2, points_won=10, losses=4, points_lost=8, npc_losses=3)
    assert fought.danger_percent == also_ratted.danger_percent == 66


def test_a_gang_ratio_is_the_rest_of_the_solo_share_rounded_down() -> None:
    assert Totals(kills=3, solo_kills=1).gang_percent == 67
    assert Totals(kills=3).gang_percent == 100
    assert Totals(losses=3).gang_percent is None
