"""How busy a solar system is: kills and ISK by hour, for the last hours or days."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from killreport.db.database import Connection
from killreport.errors import Refused

LONGEST = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Hour:
    """What happened in a system in the hour that begins then; value in hundredths of an ISK."""

    begins_at: datetime
    killmails: int
    value_cents: int


async def list_hours(
    connection: Connection, solar_system_id: int, *, now: datetime, span: timedelta = timedelta(days=1)
) -> list[Hour]:
    """Return every hour of the span up to now, the oldest first, those without a killmail too.

    The first and the last are cut by the span. Raises Refused for a span longer than seven days. Reads a part
    of the index by system and time: the busiest system of all has some two thousand killmails in seven days.
    """
    if span > LONGEST:
        raise Refused("The hours of a system go back seven days at most.")
    rows = await connection.fetch(
        """select begins_at, count(killmail_id)::int as killmails, coalesce(sum(total_value_cents), 0)::bigint
           from generate_series(date_trunc('hour', $2::timestamptz), $3::timestamptz, '1 hour') as begins_at
           left join (
               select killmail_id, date_trunc('hour', killmail_time) as hour, total_value_cents from killmail
               where solar_system_id = $1 and killmail_time between $2 and $3
           ) happened on hour = begins_at
           group by begins_at order by begins_at""",
        solar_system_id,
        now - span,
        now,
    )
    return [Hour(*row) for row in rows]
