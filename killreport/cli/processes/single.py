"""Everything in one process: the entries of the fleet's processes as tasks of one loop, for small machines.

What the supervisor adds is missing: memory limits, reloads, a log for each. An entry that raises is begun again.
"""

from __future__ import annotations

import asyncio
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from killreport.background import Errands, keep, wait_or_end
from killreport.cli.output.terminal import patient_console
from killreport.cli.processes.first_jobs import run_first_jobs
from killreport.cli.processes.foreground import (
    PATIENCE_SECONDS,
    FleetScreen,
    foreground,
    open_database_told,
    tell_up,
)
from killreport.cli.processes.run import run_entry
from killreport.clock import monotonic, utc_now
from killreport.config import Settings
from killreport.fleet.notify import telling_ready
from killreport.fleet.overrides import fleet_rows
from killreport.fleet.schedule import Alarm
from killreport.fleet.table import ProcessRow

if TYPE_CHECKING:
    from killreport.coordination.job_runs import Trigger
    from killreport.db.database import Database

PAUSE_SECONDS = 5.0
# The clock may be set: whoever sleeps until an instant looks at it again after this long.
MAX_SLEEP_SECONDS = 30.0


def run_in_one_process(settings: Settings) -> None:
    """Run the fleet in this process until SIGTERM or Ctrl-C."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, patient_console() as console:
        runner.run(SingleProcess(settings, console).show())


class SingleProcess:
    """The fleet as tasks. Jobs run one at a time each, as `run_job` sees to everywhere."""

    def __init__(self, settings: Settings, console: Console) -> None:
        self._settings = settings
        self._rows = [row for row in fleet_rows(settings.home) if row.is_enabled]
        self._console = console
        self._screen = FleetScreen(console, tells_trouble=False)
        self._ending = asyncio.Event()
        self._running = Errands()

    async def show(self) -> None:
        """Start everything, tell what is up, and at the end let everything finish what it has in hand."""
        async with foreground(self._console) as (stack, group, _stop):
            self._console.print(f"KillReport in one process, in {escape(str(self._settings.home))}\n")
            database = await open_database_told(stack, self._settings, self._screen, process="up")
            stack.push_async_callback(self._end)
            ready = {row.name: self._begin(row) for row in self._rows if row.kind != "job"}
            waiting = [group.create_task(event.wait()) for event in ready.values()]
            await asyncio.wait(waiting, timeout=PATIENCE_SECONDS)
            for row in self._rows:
                if row.schedule:
                    following = partial(self.follow_schedule, row, database)
                    group.create_task(keep(following, f"schedule {row.name}", may_end=True))
            up = {name for name, event in ready.items() if event.is_set()}
            tell_up(self._console, self._settings, self._rows, up)
            group.create_task(
                run_first_jobs(self._settings, database, lambda job: self._run_job(job, database, "hand"))
            )
        self._console.print("All stopped.")

    def _begin(self, row: ProcessRow) -> asyncio.Event:
        """Start a service or worker that is begun again whenever it ends; the event returned says that it was ready."""
        began, ready = monotonic(), asyncio.Event()

        def on_ready() -> None:
            if not ready.is_set():
                ready.set()
                self._screen.up(row.name, monotonic() - began)

        async def keep_running() -> None:
            while not self._ending.is_set():
                try:
                    with telling_ready(on_ready):
                        await run_entry(row, self._rows, self._settings, self._ending, once=False)
                except Exception as error:  # one entry must not take the others with it
                    self._screen.trouble(row.name, f"{error}; starting it again in {PAUSE_SECONDS:g} s")
                await wait_or_end(self._ending, PAUSE_SECONDS)

        self._running.run(keep(keep_running, row.name, may_end=True), row.name)
        return ready

    async def _end(self) -> None:
        """Let all finish what they have in hand; cancelled: break everything off."""
        self._ending.set()
        await self._running.finish()

    async def follow_schedule(self, row: ProcessRow, database: Database) -> None:
        """Run a job at every instant of its schedule, and at once what was missed or broken off before this process."""
        from killreport.coordination.job_runs import last_completed

        async with database.connection() as connection:
            alarm = Alarm(await last_completed(connection, row.name, utc_now()) or utc_now())
        while (due := alarm.next(row, utc_now())) is not None:
            if (left := (due - utc_now()).total_seconds()) > 0:
                await asyncio.sleep(min(left, MAX_SLEEP_SECONDS))
                continue
            alarm.went_off(utc_now())
            await self._run_job(row.name, database, "schedule")

    async def _run_job(self, name: str, database: Database, trigger: Trigger) -> None:
        from killreport.cron.running import run_job

        try:
            report = await run_job(name, self._settings, database, stop=self._ending, trigger=trigger)
        except Exception as error:  # it is on the record; the next run does the rest
            self._screen.trouble(name, f"failed: {error}")
        else:
            self._screen.job_ended(name, report.status, report.seconds, report.sentence)
