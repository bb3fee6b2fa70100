"""One scheduled job: started on time, never beside itself, ended when it takes too long, its runs remembered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from typing import Literal

import structlog

from killreport.background import Errands, end, keep
from killreport.clock import utc_now
from killreport.errors import Conflict, Unavailable
from killreport.fleet.schedule import next_run
from killreport.supervisor.child import Child, adopt_child, kill_leftovers
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.launch import Launch, start_child
from killreport.supervisor.program import Program
from killreport.supervisor.runs import JobHistory, JobRecord
from killreport.supervisor.slot import Slot
from killreport.supervisor.template import Template

Cause = Literal["schedule", "trigger", "catch-up"]
# The clock may be set: whoever sleeps until an instant looks at it again after this long.
LONGEST_SLEEP_SECONDS = 30.0
_TAIL_BYTES = 8192

log = structlog.get_logger()


class Job:
    """One job of the fleet. It has one slot, so it cannot run twice at once, whoever asks."""

    def __init__(self, program: Program, folder: FleetFolder, template: Template | None = None) -> None:
        self.program = program
        self.child: Child | None = None
        self.is_scheduled = False
        self.history = JobHistory(folder.runs / f"{program.name}.jsonl")
        self._reason = ""  # why the run that goes on was ended, where it was
        self._folder = folder
        self._template = template
        self._slot = Slot(folder.slots / f"{program.name}.0.a")
        self._scheduling: asyncio.Task[None] | None = None
        self._running: asyncio.Task[JobRecord] | None = None
        self._errands = Errands()

    @property
    def is_running(self) -> bool:
        """Tell whether it runs now."""
        return self._running is not None and not self._running.done()

    @property
    def next_run_at(self) -> datetime | None:
        """When its schedule starts it next; None while it is stopped."""
        return next_run(self.program.row, utc_now()) if self.is_scheduled else None

    async def use(self, program: Program) -> None:
        """Have it otherwise from now on; an instant that another schedule would have had is not caught up."""
        is_rescheduled = program.row.schedule != self.program.row.schedule
        self.program = program
        if is_rescheduled and self._scheduling is not None and self.is_scheduled:
            await end(self._scheduling)
            self._schedule(catches_up=False)

    def adopt(self) -> list[Child]:
        """Take over a run that goes on, and return it."""
        child = adopt_child(self._slot)
        if child is None:
            if not self._slot.is_free():
                kill_leftovers(self._slot)
            return []
        last = self.history.read()[-1:]
        cause = last[0].cause if last else "trigger"
        self._begin(child, cause)
        return [child]

    async def start(self) -> None:
        """Follow the schedule; an instant missed while nobody did is caught up once."""
        if self.is_scheduled:
            return
        self.is_scheduled = True
        self._schedule(catches_up=True)

    async def stop(self) -> None:
        """Follow the schedule no longer, and end a run that goes on."""
        self.is_scheduled = False
        if self._scheduling is not None:
            await end(self._scheduling)
        if self.child is not None and self.child.is_alive:
            await self.child.end(self.program.row.kill_timeout.total_seconds())
        if self._running is not None:
            await asyncio.wait([self._running])

    async def end_for(self, reason: str) -> None:
        """End a run that must not go on; the reason is what is remembered of it."""
        if self.child is not None and self.child.is_alive:
            self._reason = reason
            await self.child.end(self.program.row.kill_timeout.total_seconds())

    async def run(self, cause: Cause) -> asyncio.Task[JobRecord]:
        """Start a run and return the task that ends with it. Raises Conflict while one goes on, Unavailable."""
        if self.is_running or not self._slot.is_free():
            raise Conflict(f"{self.program.name} is running already.")
        launch = Launch(
            command=self.program.command,
            environment={**self.program.environment, "NOTIFY_SOCKET": self._folder.notify_address},
            out=self._folder.pipes / f"{self.program.name}.out",
            error=self._folder.pipes / f"{self.program.name}.error",
            arguments=self.program.arguments,
            dies_with_us=self.program.dies_with_supervisor,
        )
        try:
            child = await start_child(self._slot, launch, self._template)
        except BlockingIOError:
            raise Conflict(f"{self.program.name} is running already.") from None
        except OSError as error:
            raise Unavailable(f"{self.program.name} cannot start: {error.strerror or error}.") from error
        return self._begin(child, cause)

    def let_go(self) -> None:
        """Leave a run going on, for the next supervisor."""
        for task in (self._scheduling, self._running):
            if task is not None:
                task.cancel()
        if self.child is not None:
            self.child.let_go()

    def _begin(self, child: Child, cause: str) -> asyncio.Task[JobRecord]:
        self.child, self._reason = child, ""
        started_at = datetime.fromtimestamp(child.started_at, UTC)
        self.history.write(JobRecord(started_at=started_at, ended_at=None, status=None, cause=cause, last_line=""))
        self._running = self._errands.run(self._watch(child, started_at, cause), f"run {self.program.name}")
        return self._running

    async def _watch(self, child: Child, started_at: datetime, cause: str) -> JobRecord:
        row = self.program.row
        limit = row.time_limit.total_seconds() if row.time_limit else None
        try:
            left = None if limit is None else max(0.0, limit - (utc_now() - started_at).total_seconds())
            await asyncio.wait_for(child.has_ended.wait(), left)
        except TimeoutError:
            log.warning("job_took_too_long", job=row.name, limit_seconds=limit)
            await self.end_for(f"took longer than its limit of {limit:g} s")
        await child.clear()
        await asyncio.sleep(0.1)  # its last words are on their way to the log
        record = JobRecord(
            started_at=started_at,
            ended_at=utc_now(),
            status=child.status,
            cause=cause,
            last_line=self._reason or self._last_line("out" if child.status == 0 else "error"),
        )
        self.history.write(record)
        self.child = None
        return record

    def _schedule(self, *, catches_up: bool) -> None:
        name = f"schedule {self.program.name}"
        following = keep(lambda: self._follow_schedule(catches_up=catches_up), name, may_end=True)
        self._scheduling = self._errands.run(following, name)

    async def _follow_schedule(self, *, catches_up: bool) -> None:
        records = self.history.read() if catches_up else []
        due = next_run(self.program.row, records[-1].started_at if records else utc_now())
        cause: Cause = "catch-up" if due is not None and due <= utc_now() else "schedule"
        while due is not None:
            await _sleep_until(due)
            try:
                await self.run(cause)
            except (Conflict, Unavailable) as error:
                log.warning("job_skipped", job=self.program.name, reason=str(error))
            due, cause = next_run(self.program.row, max(due, utc_now())), "schedule"

    def _last_line(self, stream: str) -> str:
        try:
            with self._folder.log(self.program.name, stream).open("rb") as file:
                file.seek(max(0, file.seek(0, 2) - _TAIL_BYTES))
                lines = file.read().decode(errors="replace").splitlines()
        except FileNotFoundError:
            return ""
        return lines[-1].partition(" ")[2] if lines else ""


async def _sleep_until(due: datetime) -> None:
    while (left := (due - utc_now()).total_seconds()) > 0:  # noqa: ASYNC110 - the clock, which may be set, is asked
        await asyncio.sleep(min(left, LONGEST_SLEEP_SECONDS))
