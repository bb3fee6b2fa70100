"""A list by value or points: the days whose dearest may be on the page, the dearest day first.

Every posting says what its dearest killmail of the day is worth at most, so of what a filter wants nothing of a day can
be above the least of what its postings say. Once the page is full and no day left can hold a better one, it is right.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Literal

from killreport.db.database import Connection
from killreport.killmail.filters.plan import Plan
from killreport.killmail.lists.days import Days, Span
from killreport.killmail.lists.newest import CHECKED_AT_ONCE, passing
from killreport.killmail.lists.rows import RowWindow, read_rows
from killreport.killmail.lists.walk import walk
from killreport.killmail.postings.sets import ALL, ALL_KEY, AnyOf, Common, Key, Sets, United, Without
from killreport.killmail.postings.table import DaySets, day_of, list_largest, read_days
from killreport.killmail.stored.queries import KillmailRow

_LARGEST: Mapping[str, Literal["max_isk_cents", "max_points"]] = {
    "total_value_cents": "max_isk_cents",
    "points": "max_points",
}
FIRST_DAYS = 8
MAX_IDS = 20_000  # looked up by one statement

# By the number of a day, what nothing of the day is above.
_Bounds = Mapping[int, int]


async def read_by_figure(connection: Connection, plan: Plan, window: RowWindow) -> list[KillmailRow]:
    """Return the rows of the window, in the direction of reading.

    Upwards, as for the page before one, all days are read that may hold anything beyond the cursor.
    """
    if plan.sets == ALL and not plan.checks:
        return await read_rows(connection, plan, window, None)
    if plan.since is None and plan.until is None:
        walked = await walk(connection, plan, window)
        if walked is not None:
            return walked
    span = Span.between(plan.since, plan.until)
    largest = await list_largest(connection, plan.keys, span.first, span.last, _LARGEST[window.column])
    bounds = _bounds(plan.sets, largest)
    cursor = window.cursor
    days = sorted(bounds, key=lambda day: (-bounds[day], day))
    if cursor is not None and not window.is_descending:
        least = cursor[0]
        assert isinstance(least, int)
        days = [day for day in days if bounds[day] >= least]
    found: list[KillmailRow] = []
    size, place = FIRST_DAYS, 0
    while place < len(days):
        is_full = window.is_descending and len(found) == window.limit
        if is_full and _figure(found[-1], window) > bounds[days[place]]:
            break
        chunk = [day_of(number) for number in days[place : place + size]]
        place, size = place + size, min(2 * size, 256)
        sets = DaySets()
        await read_days(connection, plan.keys, chunk, sets)
        read = await _best_of(connection, plan, window, Days(chunk, sets))
        found = _merge([*found, *read], window)
    return found


async def _best_of(connection: Connection, plan: Plan, window: RowWindow, days: Days) -> list[KillmailRow]:
    """Return the window of the killmails of these days."""
    ids: list[int] = []
    found: list[KillmailRow] = []
    for day in days.days:
        ids += days.ids(plan.sets, day)
        if len(ids) > MAX_IDS:
            found += await _window_of(connection, plan, window, days, ids)
            ids = []
    return found + (await _window_of(connection, plan, window, days, ids) if ids else [])


async def _window_of(
    connection: Connection, plan: Plan, window: RowWindow, days: Days, ids: list[int]
) -> list[KillmailRow]:
    if not plan.checks:
        return await read_rows(connection, plan, window, ids)
    kept: list[KillmailRow] = []
    part = replace(window, limit=CHECKED_AT_ONCE)
    while len(kept) < window.limit:
        rows = await read_rows(connection, plan, part, ids)
        kept += await passing(connection, plan, days, rows)
        if len(rows) < CHECKED_AT_ONCE:
            break
        part = replace(part, cursor=(_figure(rows[-1], window), rows[-1].killmail_id))
    return kept[: window.limit]


def _figure(row: KillmailRow, window: RowWindow) -> int:
    figure: int = getattr(row, window.column)
    return figure


def _merge(rows: list[KillmailRow], window: RowWindow) -> list[KillmailRow]:
    ordered = sorted(rows, key=lambda row: (_figure(row, window), row.killmail_id), reverse=window.is_descending)
    return ordered[: window.limit]


def _bounds(wanted: Sets, largest: Mapping[Key, _Bounds]) -> _Bounds:
    match wanted:
        case AnyOf(keys):
            return _highest([largest[key] for key in keys])
        case United(parts):
            return _highest([_bounds(part, largest) for part in parts])
        case Without():
            return largest[ALL_KEY]
        case Common(parts):
            positive = [_bounds(part, largest) for part in parts if not isinstance(part, Without)]
            if not positive:
                return largest[ALL_KEY]
            days = set(positive[0]).intersection(*positive[1:])
            return {day: min(bound[day] for bound in positive) for day in days}


def _highest(bounds: list[_Bounds]) -> _Bounds:
    found: dict[int, int] = {}
    for bound in bounds:
        for day, most in bound.items():
            found[day] = max(most, found.get(day, most))
    return found
