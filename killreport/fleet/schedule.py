"""When a job runs next, and when it last should have."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from cronsim import CronSim

from killreport.fleet.table import ProcessRow

# With this status a job ends that was told to before its work was done: it is due again. In sysexits.h, EX_TEMPFAIL.
BROKEN_OFF_STATUS = 75
# A host that is none of ours was away. Source: sysexits.h, EX_UNAVAILABLE.
AWAY_STATUS = 69


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


class Alarm:
    """When a schedule comes round next: one answer for who waits for it and for who shows it.

    since: the instant after which it is looked for, as that of the last run. One in the future was written by a clock
    that was ahead: it counts as now, else a job would be silent until then.
    """

    def __init__(self, since: datetime) -> None:
        self._since = since

    def next(self, row: ProcessRow, now: datetime) -> datetime | None:
        """Return when the schedule starts the process next; not after `now` where that is due. None: it never does."""
        self._since = min(self._since, now)
        return next_run(row, self._since)

    def went_off(self, now: datetime) -> None:
        """Note that what was due has been begun, or was left out."""
        self._since = now
