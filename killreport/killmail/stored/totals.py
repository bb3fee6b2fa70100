"""The totals of an installation, from the rollups and a part of an index; never from all of the facts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from killreport.db.database import Connection

HOURS_SPAN = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class DayTotals:
    """How many killmails, and their total value in hundredths of an ISK."""

    killmails: int
    value_cents: int


@dataclass(frozen=True, slots=True)
class InstallationTotals:
    """Everything stored, and of it today and yesterday. last_stored_at: None before the first killmail."""

    all_time: DayTotals
    today: DayTotals
    yesterday: DayTotals
    last_stored_at: datetime | None


@dataclass(frozen=True, slots=True)
class HourTotals:
    """What happened in the hour that begins then; value in hundredths of an ISK."""

    begins_at: datetime
    killmails: int
    value_cents: int


async def get_installation_totals(connection: Connection, today: date) -> InstallationTotals:
    """Return the totals, in one statement: a row a day since the first killmail."""
    row = await connection.fetchrow(
        """select coalesce(sum(killmails), 0)::bigint, coalesce(sum(total_value_cents), 0)::bigint,
                  coalesce(sum(killmails) filter (where day = $1), 0)::bigint,
                  coalesce(sum(total_value_cents) filter (where day = $1), 0)::bigint,
                  coalesce(sum(killmails) filter (where day = $1 - 1), 0)::bigint,
                  coalesce(sum(total_value_cents) filter (where day = $1 - 1), 0)::bigint,
                  (select at from event where kind <> 'changed' order by event_id desc limit 1)
             from daily_total""",
        today,
    )
    return InstallationTotals(DayTotals(*row[0:2]), DayTotals(*row[2:4]), DayTotals(*row[4:6]), row[6])


async def list_hour_totals(connection: Connection, now: datetime) -> list[HourTotals]:
    """Return every hour of the last 24 up to now, the oldest first, those without a killmail too.

    The first and the last are cut. Reads the newest part of the index by time.
    """
    rows = await connection.fetch(
        """select begins_at, count(killmail_id)::int, coalesce(sum(total_value_cents), 0)::bigint
             from generate_series(date_trunc('hour', $1::timestamptz), $2::timestamptz, '1 hour') as begins_at
             left join (
                select killmail_id, date_trunc('hour', killmail_time) as hour, total_value_cents from killmail
                 where killmail_time between $1 and $2
             ) happened on hour = begins_at
            group by begins_at order by begins_at""",
        now - HOURS_SPAN,
        now,
    )
    return [HourTotals(*row) for row in rows]
