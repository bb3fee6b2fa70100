"""A list by value or points, walked: everybody's killmails in that order, of which the postings tell which are wanted.

Of what many killmails pass, a page is full after a short walk, wherever it begins; of what few pass, it never is, and
`killreport.killmail.lists.ranked` reads those few.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime

from killreport.db.database import Connection
from killreport.killmail.filters.plan import Plan
from killreport.killmail.filters.predicates import Binder
from killreport.killmail.lists.days import Days
from killreport.killmail.lists.newest import passing
from killreport.killmail.lists.rows import RowWindow, read_rows
from killreport.killmail.postings.table import DaySets, read_days
from killreport.killmail.stored.queries import KillmailRow

FIRST_STEP = 256
MAX_WALKED = 8_192


async def walk(connection: Connection, plan: Plan, window: RowWindow) -> list[KillmailRow] | None:
    """Return the rows of the window, in the direction of reading; None where they lie too far apart for a walk."""
    found: list[KillmailRow] = []
    sets = DaySets()
    asked: set[date] = set()
    part, walked = replace(window, limit=FIRST_STEP), 0
    while True:
        step = await _step(connection, part)
        walked += len(step)
        days = {_day(at) for _, at, _ in step}
        if missing := sorted(days - asked):
            await read_days(connection, plan.keys, missing, sets)
            asked.update(missing)
        some = Days(sorted(days), sets)
        wanted = {day: some.ids(plan.sets, day) for day in days}
        ids = [killmail_id for killmail_id, at, _ in step if killmail_id in wanted[_day(at)]]
        if ids:
            rows = await read_rows(connection, plan, replace(part, limit=len(ids)), ids)
            found += await passing(connection, plan, some, rows)
        if len(found) >= window.limit or len(step) < part.limit:
            return found[: window.limit]
        needed = window.limit * walked // max(1, len(found))
        if needed > MAX_WALKED:
            return None
        killmail_id, _, figure = step[-1]
        part = replace(part, cursor=(figure, killmail_id), limit=max(FIRST_STEP, needed - walked))


async def _step(connection: Connection, window: RowWindow) -> Sequence[tuple[int, datetime, int]]:
    """Return some killmails of everybody: as many rows are read as are returned, whatever the plan checks later."""
    binder = Binder()
    where = window.beyond(binder)
    condition = f"where {where[0]}" if where else ""
    rows: Sequence[tuple[int, datetime, int]] = await connection.fetch(
        f"select killmail_id, killmail_time, {window.column} from killmail {condition} {window.order}",  # noqa: S608
        *binder.arguments,
    )
    return rows


def _day(at: datetime) -> date:
    return at.astimezone(UTC).date()
