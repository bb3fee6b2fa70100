"""The dearest losses of a window, over all of space or in a place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from killreport.db.database import Connection
from killreport.leaderboard.model import Window, first_day
from killreport.leaderboard.scope import Scope, find_count

MAX_DEAREST = 100
_DAY = "(killmail_time at time zone 'UTC')::date"  # as the indexes have it
_ORDER = "order by total_value_cents desc, killmail_id desc"
_WANTED = "select killmail_id, total_value_cents from killmail"
# A statement and its arguments.
_Read = tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Dear:
    """A killmail with its total value in hundredths of an ISK."""

    killmail_id: int
    total_value_cents: int


async def list_dearest(
    connection: Connection,
    window: Window,
    *,
    today: date,
    scope: Scope | None = None,
    limit: int = 10,
) -> list[Dear]:
    """Return the dearest killmails of a window, the dearest first, at most MAX_DEAREST.

    scope: only there; of all time, where the place is a busy one, as `place_count.py` counted it last.
    """
    size = int(min(limit, MAX_DEAREST))
    first = first_day(window, today)
    if scope is None:
        found = _of_all_time(size) if first is None else _of_days(first, today, size)
    elif first is not None:
        found = _of_days(first, today, size, scope)
    elif await find_count(connection, scope):
        found = _of_counted(scope, size)
    else:
        found = _of_quiet(scope, size)
    statement, *arguments = found
    return [Dear(*row) for row in await connection.fetch(statement, *arguments)]


def _of_all_time(size: int) -> _Read:
    return (f"{_WANTED} {_ORDER} limit {size}",)


def _of_days(first: date, today: date, size: int, scope: Scope | None = None) -> _Read:
    days = "generate_series($1::date, $2::date, interval '1 day') as day"
    where = f"{_DAY} = day::date"
    if scope is not None:
        days += ", unnest($3::bigint[]) as system"
        where += " and solar_system_id = system"
    statement = f"""select found.* from {days} cross join lateral (
            {_WANTED} where {where} {_ORDER} limit {size}) found
        {_ORDER} limit {size}"""  # noqa: S608 - names and numbers of our own, here and below
    return (statement, first, today, *(() if scope is None else (scope.solar_system_ids,)))


def _of_counted(scope: Scope, size: int) -> _Read:
    statement = f"""select killmail_id, total_value_cents from place_dearest
        where place_kind = $1 and place_id = $2 {_ORDER} limit {size}"""  # noqa: S608
    return (statement, int(scope.kind), scope.place_id)


def _of_quiet(scope: Scope, size: int) -> _Read:
    # `offset 0`: else the planner may walk the dearest of everywhere, until it met enough of this place.
    there = f"{_WANTED} where solar_system_id = any($1::bigint[]) offset 0"
    return (f"select * from ({there}) there {_ORDER} limit {size}", scope.solar_system_ids)  # noqa: S608
