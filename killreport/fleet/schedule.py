"""When a job runs next."""

from __future__ import annotations

from datetime import UTC, datetime

from cronsim import CronSim

from killreport.fleet.table import ProcessRow


def next_run(row: ProcessRow, now: datetime) -> datetime | None:
    """Return the first instant after `now` at which the schedule starts the process; None where nothing does.

    now: aware. The result is in UTC, as the schedules of the fleet table are.
    """
    if row.schedule is None or not row.is_enabled:
        return None
    return next(CronSim(row.schedule, now.astimezone(UTC)))
