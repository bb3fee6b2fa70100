"""How many killmails a list has: exact where postings tell, and up to MAX_CHECKED where rows must be read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from pyroaring import BitMap64

from killreport.clock import span_of_day
from killreport.db.database import Connection
from killreport.killmail.filters.plan import Plan, plan_of
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.days import Days, Span
from killreport.killmail.lists.newest import read_by_time
from killreport.killmail.lists.rows import RowWindow
from killreport.killmail.postings.sets import AnyOf, days_with
from killreport.killmail.postings.table import DaySets, count_killmails_of, day_of, list_days, number_of, read_days

MAX_CHECKED = 10_000
DAYS_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class ListCount:
    """How long a list is. is_exact: False where it has at least so many."""

    killmails: int
    is_exact: bool = True


async def count_killmails(connection: Connection, filters: Sequence[KillmailFilter]) -> list[ListCount]:
    """Return the length of each list, in as many statements as for the longest of them, save where rows are read."""
    plans = [plan_of(wanted) for wanted in filters]
    single = {place: plan.keys[0] for place, plan in enumerate(plans) if is_single(plan)}
    sums = await count_killmails_of(connection, sorted(set(single.values()))) if single else {}
    counts = {place: ListCount(sums[key]) for place, key in single.items()}
    of_sets = {place: plan for place, plan in enumerate(plans) if not plan.checks and place not in counts}
    found = await _count_sets(connection, list(of_sets.values()))
    counts |= {place: ListCount(count) for place, count in zip(of_sets, found, strict=True)}
    for place, plan in enumerate(plans):
        if place not in counts:
            counts[place] = await _count_rows(connection, plan)
    return [counts[place] for place in range(len(plans))]


def is_single(plan: Plan) -> bool:
    """Tell whether the list is just what one posting has."""
    is_unbounded = plan.since is None and plan.until is None and not plan.checks
    return is_unbounded and isinstance(plan.sets, AnyOf) and len(plan.sets.keys) == 1


async def _count_rows(connection: Connection, plan: Plan) -> ListCount:
    window = RowWindow.by_time(MAX_CHECKED + 1)
    read = len(await read_by_time(connection, plan, window))
    return ListCount(min(read, MAX_CHECKED), read <= MAX_CHECKED)


async def _count_sets(connection: Connection, plans: Sequence[Plan]) -> list[int]:
    counts = [0] * len(plans)
    cut: list[list[tuple[date, BitMap64]]] = [[] for _ in plans]
    async for of, some in _read(connection, plans):
        plan = plans[of]
        whole = [day for day in some.days if not _is_cut(plan, day)]
        counts[of] += len(Days(whole, some.sets).all_ids(plan.sets))
        cut[of] += [(day, some.ids(plan.sets, day)) for day in some.days if _is_cut(plan, day)]
    of_cut = await _cut(connection, plans, cut)
    return [count + sum(len(ids) for _, ids in days) for count, days in zip(counts, of_cut, strict=True)]


async def ids_by_day(connection: Connection, plans: Sequence[Plan]) -> list[list[tuple[date, BitMap64]]]:
    """Return what the postings of plans without checks have, by day, the oldest first; empty days are left out."""
    found: list[list[tuple[date, BitMap64]]] = [[] for _ in plans]
    async for of, some in _read(connection, plans):
        found[of] += [(day, ids) for day in some.days if (ids := some.ids(plans[of].sets, day))]
    return await _cut(connection, plans, found)


async def _read(connection: Connection, plans: Sequence[Plan]) -> AsyncIterator[tuple[int, Days]]:
    """Yield the days of each plan, by its place, some at a time and the oldest first."""
    spans = [Span.between(plan.since, plan.until) for plan in plans]
    keys = sorted({key for plan in plans for key in plan.keys})
    if not keys:
        return
    days_of = await list_days(connection, keys, min(span.first for span in spans), max(span.last for span in spans))
    candidates = [
        days_with(plan.sets, days_of.__getitem__) & BitMap64(range(number_of(span.first), number_of(span.last) + 1))
        for plan, span in zip(plans, spans, strict=True)
    ]
    days = [day_of(number) for number in BitMap64.union(*candidates, BitMap64())]
    for place in range(0, len(days), DAYS_AT_ONCE):
        chunk = days[place : place + DAYS_AT_ONCE]
        sets = DaySets()
        await read_days(connection, keys, chunk, sets)
        for of, wanted in enumerate(candidates):
            yield of, Days([day for day in chunk if number_of(day) in wanted], sets)


async def _cut(
    connection: Connection, plans: Sequence[Plan], found: list[list[tuple[date, BitMap64]]]
) -> list[list[tuple[date, BitMap64]]]:
    """Return the days without what happened before or after the plan's bounds of time, or was removed meanwhile."""
    asked = BitMap64()
    for plan, days in zip(plans, found, strict=True):
        for day, ids in days:
            if _is_cut(plan, day):
                asked |= ids
    if not asked:
        return found
    rows = await connection.fetch(
        "select killmail_id, killmail_time from killmail where killmail_id = any($1::bigint[])", list(asked)
    )
    times: dict[int, datetime] = {row[0]: row[1] for row in rows}

    def kept(plan: Plan, day: date, ids: BitMap64) -> BitMap64:
        return BitMap64(one for one in ids if one in times and plan.is_at(times[one])) if _is_cut(plan, day) else ids

    return [
        [(day, left) for day, ids in days if (left := kept(plan, day, ids))]
        for plan, days in zip(plans, found, strict=True)
    ]


def _is_cut(plan: Plan, day: date) -> bool:
    """Tell whether only a part of the day lies within the plan's bounds of time."""
    if plan.since is None and plan.until is None:
        return False
    begin, end = span_of_day(day)
    is_late = plan.since is not None and plan.since > begin
    return is_late or (plan.until is not None and plan.until < end)
