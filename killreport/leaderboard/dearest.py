"""The dearest losses of a window, over all of space or in some systems: walks an index day by day."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from killreport.db.database import Connection
from killreport.errors import Refused
from killreport.leaderboard.model import Window, first_day

MOST = 100
_DAY = "(killmail_time at time zone 'UTC')::date"  # as the indexes have it
_ORDER = "order by total_value_cents desc, killmail_id desc"


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
    solar_system_ids: Collection[int] | None = None,
    limit: int = 10,
) -> list[Dear]:
    """Return the dearest killmails of a window, the dearest first, at most MOST.

    solar_system_ids: only there; then not of all time (Refused).
    """
    size = int(min(limit, MOST))
    first = first_day(window, today)
    arguments: tuple[object, ...] = ()
    wanted = "select killmail_id, total_value_cents from killmail"
    if first is None:
        if solar_system_ids is not None:
            raise Refused("A place has no ranking of all time: ask for 90 days at most.")
        statement = f"{wanted} {_ORDER} limit {size}"
    else:
        days = "generate_series($1::date, $2::date, interval '1 day') as day"
        where = f"{_DAY} = day::date"
        arguments = (first, today)
        if solar_system_ids is not None:
            days += ", unnest($3::integer[]) as system"
            where += " and solar_system_id = system"
            arguments = (first, today, list(solar_system_ids))
        statement = f"""select found.* from {days} cross join lateral (
                {wanted} where {where} {_ORDER} limit {size}) found
            {_ORDER} limit {size}"""  # noqa: S608 - names and numbers of our own
    return [Dear(*row) for row in await connection.fetch(statement, *arguments)]
