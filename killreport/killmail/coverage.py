"""Which killmails are stored, by day and by id: what a comparison with another killboard's history needs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, time, timedelta

from killreport.db.database import Connection


async def count_by_day(connection: Connection, days: Sequence[date]) -> dict[date, int]:
    """Return how many killmails of each of these UTC days are stored; a day without any is 0."""
    if not days:
        return {}
    rows = await connection.fetch(
        """select (killmail_time at time zone 'UTC')::date as day, count(*) as killmails
           from killmail where killmail_time >= $1 and killmail_time < $2 group by 1""",
        datetime.combine(min(days), time(), UTC),
        datetime.combine(max(days) + timedelta(days=1), time(), UTC),
    )
    found: dict[date, int] = {row["day"]: row["killmails"] for row in rows}
    return {day: found.get(day, 0) for day in days}


async def find_missing(connection: Connection, killmail_ids: Collection[int]) -> set[int]:
    """Return those of the ids that are not stored."""
    rows = await connection.fetch(
        """select id from unnest($1::bigint[]) as published(id)
           where not exists (select from killmail_gate where killmail_id = id)""",
        list(killmail_ids),
    )
    return {row["id"] for row in rows}
