"""Which killmails are stored, by day and by id: what a comparison with another killboard's history needs."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

from killreport.clock import span_of_day
from killreport.db.database import Connection


@dataclass(frozen=True, slots=True)
class Completeness:
    """A day's killmails here and at zKillboard; published and compared_at: None where it has not told yet."""

    day: date
    stored: int
    published: int | None
    compared_at: datetime | None


async def keep_published(connection: Connection, totals: Mapping[date, int], at: datetime) -> None:
    """Keep how many killmails zKillboard says each day has, as read at that moment. Days only grow old, never go."""
    days = sorted(totals)
    await connection.execute(
        """insert into published_total (day, killmails, compared_at)
           select day, killmails, $3 from unnest($1::date[], $2::integer[]) as told(day, killmails)
           on conflict (day) do update set killmails = excluded.killmails, compared_at = excluded.compared_at
               where published_total.compared_at <= excluded.compared_at""",
        days,
        [totals[day] for day in days],
        at,
    )


async def list_completeness(connection: Connection, first: date, last: date) -> list[Completeness]:
    """Return the days from `first` to `last` that have a killmail here or there, the oldest first.

    More may be stored than published: zKillboard does not show every killmail that ESI gives.
    """
    rows = await connection.fetch(
        """select day, coalesce(daily_total.killmails, 0), published_total.killmails, compared_at
           from daily_total full join published_total using (day)
           where day between $1 and $2 order by day""",
        first,
        last,
    )
    return [Completeness(*row) for row in rows]


async def count_by_day(connection: Connection, days: Sequence[date]) -> dict[date, int]:
    """Return how many killmails of each of these UTC days are stored; a day without any is 0."""
    if not days:
        return {}
    rows = await connection.fetch(
        """select (killmail_time at time zone 'UTC')::date as day, count(*) as killmails
           from killmail where killmail_time >= $1 and killmail_time < $2 group by 1""",
        span_of_day(min(days))[0],
        span_of_day(max(days))[1],
    )
    found: dict[date, int] = {row["day"]: row["killmails"] for row in rows}
    return {day: found.get(day, 0) for day in days}


async def find_missing(connection: Connection, killmail_ids: Collection[int]) -> set[int]:
    """Return those of the ids that are not stored, and were not removed by hand either."""
    return set(killmail_ids) - await find_known(connection, killmail_ids)


async def find_known(connection: Connection, killmail_ids: Collection[int]) -> set[int]:
    """Return those of the ids that are stored, or were and are to stay away."""
    rows = await connection.fetch(
        """select killmail_id from killmail where killmail_id = any($1::bigint[])
           union all
           select killmail_id from removed_killmail where killmail_id = any($1::bigint[])""",
        list(killmail_ids),
    )
    return {row[0] for row in rows}
