"""One scheduled job: started on time, never beside itself, ended when it takes too long, its runs remembered.

A run that was broken off, by a reload, a crash or a loss of power, has left its work to do: it is due again at once. A
job may have urgent work of another kind, which only the job itself can tell: it is then begun with the schedule, and
ends at once where there is none.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Literal

import structlog
from msgspec.structs import replace

from killreport.background import Errands, end, keep, unbroken, wait_or_end
from killreport.clock import log_stamp, monotonic, utc_now
from killreport.errors import Conflict, Unavailable
from killreport.fleet.schedule import AWAY_STATUS, BROKEN_OFF_STATUS, Alarm
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.backoff import RestartBackoff
from killreport.supervisor.process.child import Child, adopt_child
from killreport.supervisor.process.launch import Launch, start_child
from killreport.supervisor.process.process_table import seconds_since_start
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.slot import ProcessSlot
from killreport.supervisor.process.template import Template
from killreport.supervisor.runs import JobHistory, JobRecord
from killreport.supervisor.state_files import StateFiles

Cause = Literal["schedule", "trigger", "catch-up"]
# The clock may be set: whoever sleeps until an instant looks at it again after this long.
MAX_SLEEP_SECONDS = 30.0
# A run for which a host outside was away is tried again after a minute at the soonest, later every five.
AWAY_SECONDS = 60.0
_TAIL_BYTES = 8192

log = structlog.get_logger()


class ScheduledJob:
    """One job of the fleet. It has one slot, so it cannot run twice at once, whoever asks."""

    def __init__(
        self, program: Program, folder: FleetFolder, template: Template | None = None, files: StateFiles | None = None
    ) -> None:
        self.program = program
        self.child: Child | None = None
        self.is_scheduled = False
        self.history = JobHistory(folder.runs / f"{program.name}.jsonl", files)
        self._folder = folder
        self._template = template
        self._slot = ProcessSlot(folder.slots / f"{program.name}.0.a")
        self._slot.reserve()
        self._scheduling: asyncio.Task[None] | None = None
        self._running: asyncio.Task[JobRecord] | None = None
        self._errands = Errands()
        self._alarm = Alarm(utc_now())
        self._cause: Cause = "schedule"  # of the next run
        self._again_at: float | None = None  # when what was broken off is begun again, by the monotonic clock
        self._is_check = False  # whether the next run is to end at once unless it is due or urgent
        self._backoff = RestartBackoff(0.0)
        self._changed = asyncio.Event()
        self._is_told_to_end = False
        self._reason = ""  # why the run that goes on was ended for good, where it was

    @property
    def is_running(self) -> bool:
        """Tell whether it runs now."""
        return self._running is not None and not self._running.done()

    @property
    def next_run_at(self) -> datetime | None:
        """When it is started next, by its schedule or because it was broken off; None while it is stopped."""
        if not self.is_scheduled:
            return None
        now = utc_now()
        due = self._alarm.next(self.program.row, now)
        if self._again_at is None:
            return due
        again = now + timedelta(seconds=max(0.0, self._again_at - monotonic()))
        return again if due is None else min(due, again)

    @property
    def owners(self) -> list[ScheduledJob]:
        """Return whose processes these are: its own."""
        return [self]

    shown = owners

    def use(self, program: Program) -> None:
        """Apply overrides from now on; an instant that another schedule would have had is not caught up."""
        is_rescheduled = program.row.schedule != self.program.row.schedule
        self.program = program
        if is_rescheduled:
            self._alarm = Alarm(utc_now())
            self._changed.set()

    def adopt(self) -> None:
        """Take over a run that goes on."""
        child = adopt_child(self._slot)
        if child is not None:
            last = self.history.read()[-1:]
            self._begin(child, last[0].cause if last else "trigger", seconds_since_start(child.pid))

    async def settle(self, *, is_wanted: bool) -> None:
        """Follow the schedule where that is wanted."""
        if is_wanted:
            await self.start()

    async def apply(self, *, is_wanted: bool) -> None:
        """Do what the row wants now: a disabled one runs no more."""
        await self.settle(is_wanted=is_wanted)
        if not self.program.row.is_enabled:
            await self.stop()

    async def restart(self) -> None:
        """Break off a run that goes on, which is then due again, and follow the schedule."""
        await self.stop()
        await self.start()

    async def reload(self) -> None:
        """Follow the schedule; a run that goes on ends by itself, and the next one is another."""
        await self.start()

    async def start(self) -> None:
        """Follow the schedule; an instant missed while nobody did, or a run that was broken off, is caught up once."""
        if self.is_scheduled:
            return
        self.is_scheduled = True
        self._catch_up()
        name = f"schedule {self.program.name}"
        self._scheduling = self._errands.run(keep(self._follow_schedule, name), name)

    async def stop(self) -> None:
        """Follow the schedule no longer, and break off a run that goes on."""
        self.is_scheduled = False
        if self._scheduling is not None:
            await end(self._scheduling)
            self._scheduling = None
        if self.child is not None and self.child.is_alive:
            self._is_told_to_end = True
            await self.child.end(self.program.row.kill_timeout.total_seconds())
        if self._running is not None:
            await asyncio.wait([self._running])

    async def end_for(self, reason: str) -> None:
        """End a run that must not go on, nor be begun again before its time; the reason is what is remembered of it."""
        if self.child is not None and self.child.is_alive:
            self._reason = reason
            await self.child.end(self.program.row.kill_timeout.total_seconds())

    async def run(self, cause: Cause, *, if_due: bool = False) -> asyncio.Task[JobRecord]:
        """Start a run and return the task that ends with it. Raises Conflict while one goes on, Unavailable.

        if_due: have it end at once where it is neither due nor urgent.
        """
        options = ("--if-due",) if if_due else ()
        if self.is_running or not self._slot.is_free():
            raise Conflict(f"{self.program.name} is running already.")
        launch = Launch.of(self.program, self._folder, options)
        try:
            child = await start_child(self._slot, launch, self._template)
        except BlockingIOError:
            raise Conflict(f"{self.program.name} is running already.") from None
        except OSError as error:
            raise Unavailable(f"{self.program.name} cannot start: {error.strerror or error}.") from error
        return self._begin(child, cause, 0.0)

    def let_go(self) -> None:
        """Leave a run going on, for the next supervisor."""
        for task in (self._scheduling, self._running):
            if task is not None:
                task.cancel()
        if self.child is not None:
            self.child.let_go()

    def _begin(self, child: Child, cause: str, ran_seconds: float) -> asyncio.Task[JobRecord]:
        self.child, self._is_told_to_end, self._reason = child, False, ""
        started_at = datetime.fromtimestamp(child.started_at, UTC)
        self.history.write(JobRecord(started_at=started_at, ended_at=None, status=None, cause=cause, last_line=""))
        watching = self._watch(child, started_at, cause, ran_seconds)
        self._running = self._errands.run(watching, f"run {self.program.name}")
        return self._running

    async def _watch(self, child: Child, started_at: datetime, cause: str, ran_seconds: float) -> JobRecord:
        row, began = self.program.row, monotonic() - ran_seconds
        limit = row.time_limit.total_seconds() if row.time_limit else None
        if not await wait_or_end(child.has_ended, None if limit is None else max(0.0, limit - ran_seconds)):
            log.warning("job_took_too_long", job=row.name, limit_seconds=limit)
            await self.end_for(f"took longer than its limit of {limit:g} s")
        await child.clear()
        ran_seconds = monotonic() - began
        status = child.status if child.status is not None else self._slot.end_status()
        await asyncio.sleep(0.1)  # its last words are on their way to the log
        record = JobRecord(
            started_at=started_at,
            ended_at=utc_now(),
            status=status,
            cause=cause,
            last_line=self._reason or self._last_line("out" if status == 0 else "error", started_at),
            is_broken_off=self._was_broken_off(status) or (status == AWAY_STATUS and cause != "trigger"),
        )
        self.history.write(record)
        self.child = None
        if record.is_broken_off:
            self._run_again(ran_seconds, AWAY_SECONDS if status == AWAY_STATUS else 0.0)
        else:
            self._backoff.reset()
        return record

    def _was_broken_off(self, status: int | None) -> bool:
        """Tell whether a run that ended so has left work to do. One that failed by itself has not: it would again."""
        return not self._reason and (
            self._is_told_to_end or status is None or status < 0 or status == BROKEN_OFF_STATUS
        )

    def _catch_up(self) -> None:
        """See what was missed since the last run that is on record."""
        now = utc_now()
        self.history.correct(now)
        last = next(reversed(self.history.read()), None)
        if last is not None and last.ended_at is None and not self.is_running:
            last = self._closed(last, now)
            self.history.write(last)
        self._alarm = Alarm(now if last is None else last.started_at)
        if last is not None and last.is_broken_off and not self.is_running:
            self._again_at = monotonic()
        due = self.next_run_at
        is_late = self._again_at is not None or (due is not None and due <= now)
        self._is_check = self.program.row.is_checked_at_start and not is_late and not self.is_running
        if self._is_check:
            self._again_at = monotonic()
        self._cause = "catch-up" if is_late or self._is_check else "schedule"

    def _closed(self, record: JobRecord, now: datetime) -> JobRecord:
        """Return the record of a run that ended while nobody looked: broken off, unless it wrote down how it ended."""
        occupant = self._slot.occupant()
        is_its = occupant is not None and datetime.fromtimestamp(occupant.started_at, UTC) == record.started_at
        status = self._slot.end_status() if is_its else None
        return replace(record, ended_at=now, status=status, is_broken_off=self._was_broken_off(status))

    def _run_again(self, ran_seconds: float, least_seconds: float = 0.0) -> None:
        """Have it due again: at once or after the least time, later and later where it does not come far."""
        self._again_at = monotonic() + max(least_seconds, self._backoff.after_end(ran_seconds))
        self._cause = "catch-up"
        self._changed.set()

    async def _follow_schedule(self) -> None:
        while True:
            await self._wait_or_start()

    async def _wait_or_start(self) -> None:
        """Wait for the next instant, or until there is another one, and start what is due."""
        self._changed.clear()
        due = self.next_run_at
        left = MAX_SLEEP_SECONDS if due is None else (due - utc_now()).total_seconds()
        if left > 0:
            await wait_or_end(self._changed, min(left, MAX_SLEEP_SECONDS))
            return
        cause, self._cause, self._again_at = self._cause, "schedule", None
        is_check, self._is_check = self._is_check, False
        self._alarm.went_off(utc_now())
        try:
            await unbroken(self.run(cause, if_due=is_check), f"start {self.program.name}")
        except Conflict as error:
            log.warning("job_skipped", job=self.program.name, reason=str(error))
        except Unavailable as error:
            self._run_again(0.0)
            self._is_check = is_check
            log.warning("job_cannot_start", job=self.program.name, reason=str(error))

    def _last_line(self, stream: str, started_at: datetime) -> str:
        """Return what the run that began then said last; "" where it said nothing: the line before is another's."""
        try:
            with self._folder.log(self.program.name, stream).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except OSError:
            return ""
        at, _space, line = lines[-1].partition(" ") if lines else ("", "", "")
        return line if at >= log_stamp(started_at) else ""
