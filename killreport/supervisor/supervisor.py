"""All processes of one fleet, and the verbs that are done to them."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import structlog

from killreport.background import Errands, beside, keep
from killreport.errors import NotFound, Refused
from killreport.fleet.override_keys import MAX_INSTANCES
from killreport.supervisor.anchors import Anchor, Slots
from killreport.supervisor.disk_watch import DiskWatch
from killreport.supervisor.dropped import KILL_SECONDS, adopt_dropped
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.job import Cause
from killreport.supervisor.limits import ResourceLimits
from killreport.supervisor.logs.pumps import Pumps
from killreport.supervisor.observer import Observer
from killreport.supervisor.process.child import Child
from killreport.supervisor.process.notices import Inbox
from killreport.supervisor.process.orphans import bury_orphans
from killreport.supervisor.process.process_table import Usage
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.template import Template
from killreport.supervisor.process.usage import UsageWatch
from killreport.supervisor.roster import Roster
from killreport.supervisor.runs import JobRecord
from killreport.supervisor.state import ProcessState, instance_state, job_state
from killreport.supervisor.tasks import together
from killreport.supervisor.wanted import WantedState, read_wanted, write_wanted

log = structlog.get_logger()


class Supervisor:
    """Runs programs as `wanted.json` says. One at a time in a folder: whoever opens it holds the folder's lock.

    template: what those programs are forked from that can be; None starts each as a program of its own.
    observer: told what they write and when one ends. disk_warning_mb: with less room on the disk, the log says so.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        folder: FleetFolder,
        template: Template | None = None,
        observer: Observer | None = None,
        *,
        disk_warning_mb: int = 0,
    ) -> None:
        # Whether somebody wants it to stay away, as opposed to whoever only stops this process.
        self.is_told_to_end = False
        self._observer = observer
        self._folder = folder
        self._template = template
        self._roster = Roster(programs, folder, template, self._on_end)
        self._pumps: Pumps | None = None
        self._inbox: Inbox | None = None
        self._slots = Slots(self._roster, self._in_background)
        self._limits = ResourceLimits(self._roster, self._in_background)
        self._usage = UsageWatch(self._roster.pids, self._on_sample)
        self._disk = DiskWatch(folder.path, disk_warning_mb)
        self._replacing = Errands()
        self._applying = asyncio.Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take over what runs already, bring everything to what is wanted, and look after it while the block runs.

        At the end the processes are let go, and go on: `stop_all` before ends them.
        """
        self._pumps = Pumps(self._roster.programs, self._folder, self._observer)
        try:
            async with beside(keep(self._usage.watch, "usage")), beside(keep(self._disk.watch, "disk")):
                self._inbox = Inbox(self._folder.notify_address, self._on_notice)
                try:
                    for child in adopt_dropped(self._folder, self._roster.programs):
                        self._in_background(child.end(KILL_SECONDS))
                    self._roster.adopt()
                    async with beside(self._settle(), "settle"):
                        yield
                finally:
                    self._let_go()
                    self._inbox.close()
        finally:
            self._pumps.close()
            self._pumps = None
            if self._template is not None:
                self._template.end()
            self._roster.listeners.close()

    def anchors(self) -> dict[str, Anchor]:
        """Return what its processes are found by, and it by them, while it runs."""
        assert self._inbox is not None
        assert self._pumps is not None
        return {"notices": self._inbox, "pipes": self._pumps, "wanted": self._roster, "slots": self._slots}

    def end_strays(self) -> None:
        """End what no other supervisor could take over: its slot is gone."""
        for child in self._slots.strays():
            child.send(signal.SIGKILL)

    def states(self) -> list[ProcessState]:
        """Return how every process is that was started once and not deleted, or is disabled, or is a job that runs.

        In the fleet's order.
        """
        return [
            state
            for name, program in self._roster.programs.items()
            if name in self._roster.wanted or not program.row.is_enabled or self._roster.is_run_of_job(name)
            for state in self._states_of(name)
        ]

    async def apply(self, programs: Sequence[Program]) -> list[str]:
        """Apply overrides from now on, and return the names of the processes that changed.

        Disabled ones end; those that are enabled again and were started before start; copies become as many as the row
        says where it says another number. What runs goes on as it is: limits hold at once, commands and environments
        when a process is started next.
        """
        async with self._applying:
            changed = [program for program in programs if self._roster.programs.get(program.name) != program]
            log.info("fleet_applied", changed=[program.name for program in changed])
            applying = (self._apply_one(program) for program in changed if program.name in self._roster.programs)
            for outcome in await asyncio.gather(*applying, return_exceptions=True):
                if isinstance(outcome, BaseException):  # of one process; no reason to hold up another
                    log.error("process_cannot_start", reason=str(outcome))
            return [program.name for program in changed]

    async def start(self, name: str) -> list[ProcessState]:
        """Have a process running, a job on its schedule. Idempotent. Raises Unavailable where it is not ready."""
        self._roster.want(name, is_started=True)
        if name in self._roster.jobs:
            await self._roster.jobs[name].start()
        else:
            await together(instance.start() for instance in self._roster.instances_of(name))
        return self._states_of(name)

    async def stop(self, name: str) -> list[ProcessState]:
        """Have a process stopped, a job off its schedule. Idempotent."""
        self._roster.want(name, is_started=False)
        if name in self._roster.jobs:
            await self._roster.jobs[name].stop()
        else:
            await together(instance.stop() for instance in self._roster.instances_of(name))
            self._roster.listeners.drop(self._roster.program(name))
        return self._states_of(name)

    async def restart(self, name: str) -> list[ProcessState]:
        """Stop a process and start it. Raises Unavailable where it is not ready."""
        return await self._replace(name, Instance.restart)

    async def reload(self, name: str) -> list[ProcessState]:
        """Replace a process without a gap. Raises Unavailable where the new one is not ready; the old one stays."""
        return await self._replace(name, Instance.reload)

    async def delete(self, name: str) -> None:
        """Stop a process and list it no longer."""
        await self.stop(name)
        self._roster.wanted.pop(name, None)  # somebody else may have deleted it meanwhile
        self._roster.remember()

    async def scale(self, name: str, count: int) -> list[ProcessState]:
        """Have so many copies of a worker. Raises Refused for those there can be only one of."""
        row = self._roster.program(name).row
        if row.kind != "worker" or row.is_single:
            raise Refused(f"There can be only one {name}.")
        if not 1 <= count <= MAX_INSTANCES:
            raise Refused(f"{name} can have 1 to {MAX_INSTANCES} copies, not {count}.")
        self._roster.refuse_disabled(name)
        self._roster.wanted[name] = WantedState(is_started=True, instances=count, row_instances=row.instances)
        self._roster.remember()
        await self._roster.retire(name, count)
        return await self.start(name)

    async def trigger(self, name: str, cause: Cause = "trigger") -> asyncio.Task[JobRecord]:
        """Start a run of a job; the task ends with it. Raises Refused for another kind, Conflict while it runs."""
        job = self._roster.job(name, "it runs for ever once started")
        self._roster.refuse_disabled(name)
        return await job.run(cause)

    def runs(self, name: str) -> list[JobRecord]:
        """Return the remembered runs of a job, the oldest first. Raises Refused for another kind."""
        return self._roster.job(name, "it has no runs").history.read()

    def save(self) -> int:
        """Remember what is wanted now for `resurrect`; returns of how many processes."""
        write_wanted(self._folder.saved, self._roster.wanted)
        return len(self._roster.wanted)

    async def resurrect(self) -> list[ProcessState]:
        """Bring back what `save` remembered; what runs beyond it goes on. Raises NotFound where nothing was saved."""
        saved = read_wanted(self._folder.saved)
        if not saved:
            raise NotFound("Nothing was saved: killreport save does it.")
        self._roster.bring_back(saved)
        await together(self.start(name) for name in saved if self._roster.is_to_run(name))
        return self.states()

    async def stop_all(self) -> None:
        """End every process; what is wanted stays as it is, so that the next supervisor starts them again.

        Jobs and workers first, side by side; then one service after the other, the last one first: each finds what it
        asks until it has ended. Cancelled: all are killed at once.
        """
        try:
            stopping: list[Awaitable[object]] = [job.stop() for job in self._roster.jobs.values()]
            stopping += [
                instance.stop() for instance in self._roster.all_instances() if instance.program.row.kind != "service"
            ]
            await asyncio.gather(*stopping)
            for name in reversed(self._roster.programs):
                await asyncio.gather(
                    *(instance.stop() for instance in self._roster.all_instances() if instance.program.name == name)
                )
        finally:
            for child, _owner in self._roster.children():
                child.send(signal.SIGKILL)

    def drain(self, name: str) -> None:
        """Have everything in the log, and told to the observer, that a process wrote until now."""
        if self._pumps is not None:
            self._pumps.drain(name)

    def pids(self) -> list[int]:
        """Return the ids of this process, of what it runs, and of what that is forked from."""
        warm = self._template.pid if self._template is not None else None
        return [os.getpid(), *self._roster.pids(), *([] if warm is None else [warm])]

    async def _apply_one(self, program: Program) -> None:
        name = program.name
        self._roster.programs[name] = program
        is_wanted = self._roster.is_to_run(name)
        if name in self._roster.jobs:
            job = self._roster.jobs[name]
            await job.use(program)
            if is_wanted:
                await job.start()
            elif not program.row.is_enabled:
                await job.stop()
            return
        instances = self._roster.instances.setdefault(name, [])
        for instance in instances:
            instance.use(program)
        count = self._roster.count(name) if is_wanted else 0
        await self._roster.retire(name, count)
        if is_wanted:
            # Its readiness is no condition for the others' changes; the list tells how it gets on.
            await together(
                instance.settle(is_wanted=True) for instance in self._roster.instances_of(name) if not instance.child
            )
        else:
            self._roster.listeners.drop(program)

    async def _replace(self, name: str, how: Callable[[Instance], Awaitable[None]]) -> list[ProcessState]:
        self._roster.want(name, is_started=True)
        if name in self._roster.jobs:
            if how is Instance.restart:
                await self._roster.jobs[name].stop()
            await self._roster.jobs[name].start()  # a run that goes on ends by itself: the next one is another
        else:
            # One after the other: the rest of the copies work meanwhile.
            for instance in self._roster.instances_of(name):
                await how(instance)
        return self._states_of(name)

    def _states_of(self, name: str) -> list[ProcessState]:
        usage = self._usage
        if name in self._roster.jobs:
            job = self._roster.jobs[name]
            pid = job.child.pid if job.child else None
            return [job_state(job, usage.latest.get(pid or 0), usage.cpu_percent(pid))]
        found = []
        for instance in self._roster.instances_of(name):
            pid = instance.child.pid if instance.child else None
            found.append(instance_state(instance, usage.latest.get(pid or 0), usage.cpu_percent(pid)))
        return found

    async def _settle(self) -> None:
        settling: list[Awaitable[object]] = []
        for name, instances in list(self._roster.instances.items()):
            is_wanted = self._roster.is_to_run(name)
            count = self._roster.count(name) if is_wanted else 0
            settling += [instance.settle(is_wanted=instance.number < count) for instance in instances]
        for name, job in self._roster.jobs.items():
            if self._roster.is_to_run(name):
                settling.append(job.start())
        for outcome in await asyncio.gather(*settling, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("process_cannot_start", reason=str(outcome))
        for name, instances in self._roster.instances.items():
            count = self._roster.count(name) if name in self._roster.wanted else 0
            del instances[count:]

    def _on_notice(self, session: int, fields: dict[str, str]) -> None:
        for child in list(Child.living):
            if child.pid == session and child.is_alive:
                child.hear(fields)

    def _on_end(self, name: str, status: int | None, pause_seconds: float | None) -> None:
        if self._observer is not None:
            self.drain(name)
            self._observer.on_end(name, status, pause_seconds)

    def _on_sample(self, sample: dict[int, Usage]) -> None:
        own = {child.pid for child in Child.living}
        bury_orphans(own | ({self._template.pid} if self._template and self._template.pid else set()))
        self._limits.enforce(sample)
        self._roster.files.retry()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._replacing.run(work, "replace")

    def _let_go(self) -> None:
        self._replacing.cancel()
        self._roster.let_go()
