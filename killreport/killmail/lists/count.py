"""How many killmails a list has: exact where postings tell, and up to MAX_CHECKED where rows must be read."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from pyroaring import BitMap64

from killreport.clock import span_of_day
from killreport.db.database import Connection
from killreport.killmail.filters.plan import Plan, plan_of
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.days import Days, Span
from killreport.killmail.lists.newest import read_by_time
from killreport.killmail.lists.rows import RowWindow
from killreport.killmail.postings.sets import AnyOf, days_with
from killreport.killmail.postings.table import DaySets, count_killmails_of, day_of, list_days, read_days

MAX_CHECKED = 10_000
DAYS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class ListCount:
    """How long a list is. is_exact: False where it has at least so many."""

    killmails: int
    is_exact: bool = True


async def count_killmails(connection: Connection, filters: Sequence[KillmailFilter]) -> list[ListCount]:
    """Return the length of each list. Those of one posting together cost one statement."""
    plans = [plan_of(wanted) for wanted in filters]
    single = [plan.sets.keys[0] for plan in plans if _is_single(plan) and isinstance(plan.sets, AnyOf)]
    sums = await count_killmails_of(connection, sorted(set(single))) if single else {}
    return [
        ListCount(sums[plan.sets.keys[0]])
        if _is_single(plan) and isinstance(plan.sets, AnyOf)
        else await _count(connection, plan)
        for plan in plans
    ]


def _is_single(plan: Plan) -> bool:
    """Tell whether the list is just what one posting has."""
    is_unbounded = plan.since is None and plan.until is None and not plan.checks
    return is_unbounded and isinstance(plan.sets, AnyOf) and len(plan.sets.keys) == 1


async def _count(connection: Connection, plan: Plan) -> ListCount:
    if plan.checks:
        window = RowWindow("killmail_time", "timestamptz", is_descending=True, limit=MAX_CHECKED + 1)
        read = len(await read_by_time(connection, plan, window))
        return ListCount(min(read, MAX_CHECKED), read <= MAX_CHECKED)
    total = 0
    for _, ids in await ids_by_day(connection, plan):
        total += len(ids)
    return ListCount(total)


async def ids_by_day(connection: Connection, plan: Plan, span: Span | None = None) -> list[tuple[date, BitMap64]]:
    """Return what the postings of a plan without checks have, by day, the oldest first; days without any are left out.

    span: of these days only.
    """
    within = Span.between(plan.since, plan.until)
    if span is not None:
        within = Span(max(within.first, span.first), min(within.last, span.last))
    if within.first > within.last or not plan.keys:
        return []
    numbers = await list_days(connection, plan.keys, within.first, within.last)
    days = {key: BitMap64(found) for key, found in numbers.items()}
    candidates = [day_of(number) for number in days_with(plan.sets, lambda key: days[key])]
    found = []
    for place in range(0, len(candidates), DAYS_AT_ONCE):
        chunk = candidates[place : place + DAYS_AT_ONCE]
        sets = DaySets()
        await read_days(connection, plan.keys, chunk, sets)
        some = Days(chunk, sets)
        for day in chunk:
            ids = some.ids(plan.sets, day)
            if _is_cut(plan, day):
                ids = ids & await _ids_between(connection, plan, day)
            if ids:
                found.append((day, ids))
    return found


def _is_cut(plan: Plan, day: date) -> bool:
    """Tell whether only a part of the day lies within the plan's bounds of time."""
    begin, end = span_of_day(day)
    is_late = plan.since is not None and plan.since > begin
    return is_late or (plan.until is not None and plan.until < end)


async def _ids_between(connection: Connection, plan: Plan, day: date) -> BitMap64:
    begin, end = span_of_day(day)
    rows = await connection.fetch(
        "select killmail_id from killmail where killmail_time >= $1 and killmail_time < $2",
        begin if plan.since is None else max(begin, plan.since),
        end if plan.until is None else min(end, plan.until),
    )
    return BitMap64(row[0] for row in rows)
