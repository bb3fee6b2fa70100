"""How many killmails of a list each day has, and what they are worth."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection
from killreport.errors import Refused
from killreport.killmail.filters.plan import Plan, plan_of
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.count import MAX_CHECKED, ids_by_day, is_single
from killreport.killmail.lists.days import Span
from killreport.killmail.lists.newest import read_by_time
from killreport.killmail.lists.rows import RowWindow
from killreport.killmail.postings.table import list_sums

MAX_DAYS = 400
MAX_SUMMED = 100_000  # killmails whose rows are read for their values


@dataclass(frozen=True, slots=True)
class DayCount:
    """A day of a list. value_cents: None where too many rows would have to be read for it."""

    day: date
    killmails: int
    value_cents: int | None


async def count_by_day(connection: Connection, wanted: KillmailFilter, first: date, last: date) -> list[DayCount]:
    """Return the days from `first` to `last` that have killmails of the list, the newest first.

    Raises Refused for more than MAX_DAYS, and where a filter asks of rows and more than MAX_CHECKED would be read.
    """
    if (last - first).days >= MAX_DAYS:
        raise Refused(f"At most {MAX_DAYS} days may be counted at once.")
    plan = plan_of(wanted)
    if plan.checks:
        counts = await _of_rows(connection, plan, Span(first, last))
    elif is_single(plan):
        counts = [DayCount(*row) for row in await list_sums(connection, plan.keys[0], first, last)]
    else:
        counts = await _of_sets(connection, plan, Span(first, last))
    return sorted(counts, key=lambda count: count.day, reverse=True)


async def _of_sets(connection: Connection, plan: Plan, span: Span) -> list[DayCount]:
    (days,) = await ids_by_day(connection, [plan.within(*span.moments)])
    values: dict[date, int] = {}
    is_summed = sum(len(ids) for _, ids in days) <= MAX_SUMMED
    if is_summed:
        rows = await connection.fetch(
            """select (killmail_time at time zone 'UTC')::date, sum(total_value_cents)::bigint
               from killmail where killmail_id = any($1::bigint[]) group by 1""",
            [killmail_id for _, ids in days for killmail_id in ids],
        )
        values = {row[0]: row[1] for row in rows}
    return [DayCount(day, len(ids), values.get(day, 0) if is_summed else None) for day, ids in days]


async def _of_rows(connection: Connection, plan: Plan, span: Span) -> list[DayCount]:
    window = RowWindow.by_time(MAX_CHECKED + 1)
    rows = await read_by_time(connection, plan.within(*span.moments), window)
    if len(rows) > MAX_CHECKED:
        raise Refused(f"More than {MAX_CHECKED} killmails would have to be read: ask for fewer days.")
    counts: Counter[date] = Counter()
    values: Counter[date] = Counter()
    for row in rows:
        day = row.killmail_time.date()
        counts[day] += 1
        values[day] += row.total_value_cents
    return [DayCount(day, count, values[day]) for day, count in counts.items()]
