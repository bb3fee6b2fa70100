"""A list in order of time: the sets of each day, united and intersected as the filter says, until the page is full."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import date

from pyroaring import BitMap64

from killreport.db.database import Connection
from killreport.eve.universe import NOTHING_KNOWN
from killreport.killmail.filters.plan import Plan
from killreport.killmail.filters.predicates import Facts
from killreport.killmail.lists.days import Days, Span, read_in_order
from killreport.killmail.lists.rows import RowWindow, read_rows, read_rows_of_day
from killreport.killmail.postings.sets import ALL, Sets
from killreport.killmail.stored.queries import KillmailRow, list_items

# A day with more of the wanted than this is walked in the order of time: a page of it is found sooner so.
MAX_LOOKED_UP = 500
CHECKED_AT_ONCE = 200
FEW_DAYS = 8  # up to so many, each is looked at by itself


async def read_by_time(connection: Connection, plan: Plan, window: RowWindow) -> list[KillmailRow]:
    """Return the rows of the window, in the direction of reading."""
    if plan.sets == ALL and not plan.checks:
        return await read_rows(connection, plan, window, None)
    reader = _Reader(connection, plan, window)
    span = Span.between(plan.since, plan.until)
    if window.cursor is not None:
        moment = window.cursor[0]
        assert not isinstance(moment, int)
        span = span.up_to(moment, is_newest_first=window.is_descending)
    days = read_in_order(connection, plan.keys, plan.sets, span, is_newest_first=window.is_descending)
    async with aclosing(days):
        async for some in days:
            if await reader.read(some):
                break
    return reader.rows


class _Reader:
    """Collects the rows of a window, in its direction."""

    def __init__(self, connection: Connection, plan: Plan, window: RowWindow) -> None:
        self._connection = connection
        self._plan = plan
        self._window = window
        self.rows: list[KillmailRow] = []

    async def read(self, days: Days) -> bool:
        """Go on with these days; True once the window is full."""
        if len(days.days) > FEW_DAYS:
            ids = days.all_ids(self._plan.sets)
            if len(ids) <= MAX_LOOKED_UP:
                return await self._take(days, list(ids))
        waiting: list[int] = []
        for day in days.days:
            ids = days.ids(self._plan.sets, day)
            if len(ids) > MAX_LOOKED_UP:
                if await self._take(days, waiting) or await self._take(days, list(ids), day):
                    return True
                waiting = []
                continue
            waiting += ids
            if len(waiting) >= (MAX_LOOKED_UP if self._plan.checks else self._left):
                if await self._take(days, waiting):
                    return True
                waiting = []
        return await self._take(days, waiting)

    @property
    def _left(self) -> int:
        return self._window.limit - len(self.rows)

    async def _take(self, days: Days, ids: Sequence[int], day: date | None = None) -> bool:
        """Add the rows of these ids that are in the window; True once it is full."""
        window = self._window
        while ids:
            size = CHECKED_AT_ONCE if self._plan.checks else self._left
            part = replace(window, limit=size)
            if day is None:
                found = await read_rows(self._connection, self._plan, part, ids)
            else:
                found = await read_rows_of_day(self._connection, self._plan, part, day, ids)
            self.rows += (await self._passing(days, found))[: self._left]
            if not self._left:
                return True
            if len(found) < size:
                break
            window = replace(window, cursor=(found[-1].killmail_time, found[-1].killmail_id))
        return False

    async def _passing(self, days: Days, rows: list[KillmailRow]) -> list[KillmailRow]:
        return await passing(self._connection, self._plan, days, rows)


async def passing(connection: Connection, plan: Plan, days: Days, rows: list[KillmailRow]) -> list[KillmailRow]:
    """Return those of the rows, which are of these days, that pass the plan's checks."""
    if not plan.checks:
        return rows
    items = await list_items(connection, [row.killmail_id for row in rows]) if plan.needs_items else {}
    kept = []
    # Of a day all its rows ask the same sets.
    ids: dict[tuple[date, Sets], BitMap64] = {}
    for row in rows:
        day = row.killmail_time.date()

        def is_in(wanted: Sets, row: KillmailRow = row, day: date = day) -> bool:
            found = ids.get((day, wanted))
            if found is None:
                found = ids[day, wanted] = days.ids(wanted, day)
            return row.killmail_id in found

        if plan.passes(Facts(row, (), items.get(row.killmail_id, ()), NOTHING_KNOWN), is_in):
            kept.append(row)
    return kept
