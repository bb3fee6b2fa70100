"""Reads of rankings. A day is summed from the rollups; longer windows are read as the job counted them.

Measured at 18,000 killmails a day (15,000 characters a day): a week is 100,000 rows, 90 days are
1.3 million, and summing those takes tens of milliseconds to a second.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.stored.system_figures import SYSTEM_KINDS
from killreport.leaderboard.model import (
    FIGURES,
    LIVE,
    MAX_PLACES,
    MAX_PLACES_OF_PLACE,
    SUMS,
    Figures,
    Metric,
    Ranked,
    Ranking,
    Window,
    first_day,
)
from killreport.leaderboard.place_sums import head_of, sum_systems
from killreport.leaderboard.scope import Scope, find_count


async def get_ranking(
    connection: Connection, kind: EntityKind, metric: Metric, window: Window, *, today: date, limit: int = 100
) -> Ranking:
    """Return the head of a ranking over all of space, those with none of the figure left out.

    Of a window the job has not counted yet, it is summed now; the days are those that were counted.
    """
    first = first_day(window, today)
    if window not in LIVE:
        run = await connection.fetchrow(
            "select first_day, last_day, counted_at from ranking_run where time_window = $1", window.value
        )
        if run is not None:
            rows = await connection.fetch(
                f"""select entity_id, {", ".join(FIGURES)} from ranking
                    where time_window = $1 and entity_kind = $2 and metric = $3 and place <= $4
                    order by place""",  # noqa: S608 - names of our own columns, here and below
                window.value,
                int(kind),
                metric.value,
                min(limit, MAX_PLACES),
            )
            return Ranking(kind, metric, window, run["first_day"], run["last_day"], run["counted_at"], _places(rows))
    table = "total_stat" if first is None else "daily_part"
    days = "" if first is None else "and day between $2 and $3"
    rows = await connection.fetch(
        f"select entity_id, {SUMS} from {table} where entity_kind = $1 {days} {_head(metric, limit)}",  # noqa: S608
        int(kind),
        *(() if first is None else (first, today)),
    )
    return Ranking(kind, metric, window, first, today, None, _places(rows))


async def get_ranking_of_place(
    connection: Connection,
    kind: EntityKind,
    metric: Metric,
    window: Window,
    *,
    scope: Scope,
    today: date,
    limit: int = 100,
) -> Ranking:
    """Return the head of a ranking in a place; see `get_rankings_of_place`."""
    [ranking] = await get_rankings_of_place(connection, [kind], metric, window, scope=scope, today=today, limit=limit)
    return ranking


async def get_rankings_of_place(
    connection: Connection,
    kinds: Sequence[EntityKind],
    metric: Metric,
    window: Window,
    *,
    scope: Scope,
    today: date,
    limit: int = 100,
) -> list[Ranking]:
    """Return the heads of the rankings of characters, corporations, alliances or ship types in a place, in order.

    Summed for this reader, all from one reading; of all time, where the place is a busy one, as `place_count.py`
    counted it last. Raises Refused for other kinds.
    """
    if not set(kinds) <= set(SYSTEM_KINDS):
        raise Refused("Only characters, corporations, alliances and ship types are ranked by place.")
    size = min(limit, MAX_PLACES_OF_PLACE)
    first = first_day(window, today)
    count = await find_count(connection, scope) if first is None else None
    if count is not None:
        heads = [await _counted_head(connection, kind, metric, scope, size) for kind in kinds]
        return [
            Ranking(kind, metric, window, None, count.last_day, count.counted_at, head)
            for kind, head in zip(kinds, heads, strict=True)
        ]
    days = None if first is None else (first, today)
    sums = await sum_systems(connection, scope.solar_system_ids, kinds, days)
    return [Ranking(kind, metric, window, first, today, None, head_of(sums[kind], metric, size)) for kind in kinds]


async def _counted_head(
    connection: Connection, kind: EntityKind, metric: Metric, scope: Scope, size: int
) -> list[Ranked]:
    rows = await connection.fetch(
        f"""select entity_id, {", ".join(FIGURES)} from place_head
            where place_kind = $1 and place_id = $2 and entity_kind = $3 and {metric.column} > 0
            order by {metric.column} desc, entity_id limit {size}""",  # noqa: S608
        int(scope.kind),
        scope.place_id,
        int(kind),
    )
    return _places(rows)


def _head(metric: Metric, limit: int) -> str:
    figure = f"sum({metric.column})"
    return (
        f"group by entity_id having {figure} > 0 order by {figure} desc, entity_id limit {int(min(limit, MAX_PLACES))}"
    )


def _places(rows: Collection[Any]) -> list[Ranked]:
    return [Ranked(place, row[0], Figures(*row[1:])) for place, row in enumerate(map(tuple, rows), 1)]
