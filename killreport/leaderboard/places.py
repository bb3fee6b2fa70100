"""How busy a solar system is: kills and ISK by hour, for the last hours or days."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.postings.codes import Side, code_of
from killreport.killmail.postings.table import DaySets, read_days

MAX_SPAN = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Hour:
    """What happened in a system in the hour that begins then; value in hundredths of an ISK."""

    begins_at: datetime
    killmails: int
    value_cents: int


async def list_hours_of(
    connection: Connection,
    systems_of: Mapping[int, Collection[int]],
    *,
    now: datetime,
    span: timedelta = timedelta(days=1),
) -> dict[int, list[Hour]]:
    """Return of every place each hour of the span up to now, the oldest first, those without a killmail too.

    systems_of: the ids of a place's systems, by the id it shall have in the result. The first and the last hour are
    cut by the span. Raises Refused for a span longer than seven days. Reads the postings of the systems:
    the busiest system of all has some two thousand killmails in seven days.
    """
    if span > MAX_SPAN:
        raise Refused("The hours of a system go back seven days at most.")
    days = {(now - span).date() + timedelta(day) for day in range(span.days + 2)}
    keys = {
        system: (code_of(EntityKind.SOLAR_SYSTEM, system), int(Side.KILLER))
        for systems in systems_of.values()
        for system in systems
    }
    sets = DaySets()
    await read_days(connection, sorted(set(keys.values())), days, sets)
    pairs = [
        (place, killmail_id)
        for place, systems in systems_of.items()
        for system in systems
        for day in days
        for killmail_id in sets.of(day, keys[system])
    ]
    rows = await connection.fetch(
        """select place, begins_at, count(killmail_id)::int, coalesce(sum(total_value_cents), 0)::bigint
           from unnest($1::bigint[]) as place
           cross join generate_series(date_trunc('hour', $2::timestamptz), $3::timestamptz, '1 hour') as begins_at
           left join (
               select of_place, killmail_id, date_trunc('hour', killmail_time) as hour, total_value_cents
               from unnest($4::bigint[], $5::bigint[]) as pair (of_place, killmail_id)
               join killmail using (killmail_id) where killmail_time between $2 and $3
           ) happened on of_place = place and hour = begins_at
           group by place, begins_at order by place, begins_at""",
        list(systems_of),
        now - span,
        now,
        [place for place, _ in pairs],
        [killmail_id for _, killmail_id in pairs],
    )
    found: dict[int, list[Hour]] = {place: [] for place in systems_of}
    for place, *hour in rows:
        found[place].append(Hour(*hour))
    return found
