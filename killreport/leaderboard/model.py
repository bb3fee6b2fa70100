"""The words of rankings: over which days, of what, by which figure, where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from killreport.entity.kind import EntityKind

# What a ranking shows at most, as zKillboard's pages do.
MAX_PLACES = 500
# Of a system, a constellation or a region.
MAX_PLACES_OF_PLACE = 200


class Window(StrEnum):
    """Which days count, all in UTC and with today. Week and month are the calendar's; a week begins on Monday."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    DAYS_7 = "7d"
    DAYS_30 = "30d"
    DAYS_90 = "90d"
    ALL_TIME = "all"


# Summed for every reader: fifteen thousand rows at most. The others are counted by a job, see `store.py`.
LIVE = frozenset({Window.DAY})
COUNTED = tuple(window for window in Window if window not in LIVE)
_LENGTHS = {Window.DAY: 1, Window.DAYS_7: 7, Window.DAYS_30: 30, Window.DAYS_90: 90}


class Metric(StrEnum):
    """The figure that decides the place."""

    KILLS = "kills"
    LOSSES = "losses"
    SOLO_KILLS = "solo_kills"
    POINTS = "points"
    ISK_DESTROYED = "isk_destroyed"
    ISK_LOST = "isk_lost"

    @property
    def column(self) -> str:
        """The column of the rollups."""
        return {
            Metric.POINTS: "points_won",
            Metric.ISK_DESTROYED: "isk_destroyed_cents",
            Metric.ISK_LOST: "isk_lost_cents",
        }.get(self, self.value)


@dataclass(frozen=True, slots=True)
class Figures:
    """What an entity did, over the days of a ranking or a month. Money in hundredths of an ISK."""

    kills: int
    losses: int
    solo_kills: int
    points_won: int
    isk_destroyed_cents: int
    isk_lost_cents: int


FIGURES = tuple(Figures.__dataclass_fields__)
# The same, summed over rows of a rollup.
SUMS = ", ".join(f"sum({name})::bigint as {name}" for name in FIGURES)


@dataclass(frozen=True, slots=True)
class Ranked:
    """One place of a ranking, from 1; equal figures are ordered by id."""

    place: int
    entity_id: int
    figures: Figures


@dataclass(frozen=True, slots=True)
class Ranking:
    """A ranking's head. first_day: None for all time. counted_at: None where it was summed for this reader."""

    kind: EntityKind
    metric: Metric
    window: Window
    first_day: date | None
    last_day: date
    counted_at: datetime | None
    places: Sequence[Ranked]


def first_day(window: Window, today: date) -> date | None:
    """Return the window's first day, None for all time; its last is today."""
    match window:
        case Window.ALL_TIME:
            return None
        case Window.WEEK:
            return today - timedelta(days=today.weekday())
        case Window.MONTH:
            return today.replace(day=1)
        case _:
            return today - timedelta(days=_LENGTHS[window] - 1)
