"""When a job runs next, and when it last should have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from killreport.fleet.table import ProcessRow


def next_run(row: ProcessRow, now: datetime) -> datetime | None:
    """Return the first instant after `now` at which the schedule starts the process; None where nothing does.

    now: aware. The result is in UTC, as the schedules of the fleet table are.
    """
    if row.schedule is None or not row.is_enabled:
        return None
    return next(CronSim(row.schedule, now.astimezone(UTC)))


def last_due(row: ProcessRow, now: datetime) -> datetime | None:
    """Return the latest instant, `now` included, at which the schedule starts the process; None without a schedule.

    now: aware. The result is in UTC.
    """
    if row.schedule is None:
        return None
    # Backwards, an instant is searched strictly before the one given.
    return next(CronSim(row.schedule, now.astimezone(UTC) + timedelta(microseconds=1), reverse=True))
