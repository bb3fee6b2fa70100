"""All processes of one fleet, and the verbs that are done to them."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from typing import Any

import msgspec
import structlog

from killreport.errors import KillreportError, NotFound, Refused
from killreport.fleet.override_keys import MOST_INSTANCES
from killreport.supervisor.child import Child
from killreport.supervisor.dropped import KILL_SECONDS, adopt_dropped
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.job import Cause, Job
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.notices import listening
from killreport.supervisor.orphans import bury_orphans
from killreport.supervisor.process_table import Usage
from killreport.supervisor.program import Program
from killreport.supervisor.pumps import Pumps
from killreport.supervisor.runs import JobRecord
from killreport.supervisor.state import ProcessState, instance_state, job_state
from killreport.supervisor.tasks import cancel, together
from killreport.supervisor.template import Template
from killreport.supervisor.usage import SAMPLE_SECONDS, UsageWatch
from killreport.supervisor.wanted import Wanted, read_wanted, write_wanted
from killreport.supervisor.witness import Witness

log = structlog.get_logger()


class Supervisor:
    """Runs programs as `wanted.json` says. One at a time in a folder: whoever opens it holds the folder's lock.

    template: what those programs are forked from that can be; None starts each as a program of its own.
    witness: told what they write and when one ends.
    """

    def __init__(
        self,
        programs: Sequence[Program],
        folder: FleetFolder,
        template: Template | None = None,
        witness: Witness | None = None,
    ) -> None:
        self._witness = witness
        self._folder = folder
        self._template = template
        self._programs = {program.name: program for program in programs}
        self._wanted = read_wanted(folder.wanted)
        self._listeners = Listeners()
        self._instances: dict[str, list[Instance]] = {}
        self._jobs = {
            name: Job(program, folder, template)
            for name, program in self._programs.items()
            if program.row.kind == "job"
        }
        self._pumps: Pumps | None = None
        self._usage = UsageWatch(self._pids, self._enforce_limits)
        self._replacing: set[asyncio.Task[None]] = set()
        self._applying = asyncio.Lock()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take over what runs already, bring everything to what is wanted, and look after it while the block runs.

        At the end the processes are let go, and go on: `stop_all` before ends them.
        """
        self._pumps = Pumps(self._programs, self._folder, self._witness)
        watching = asyncio.create_task(self._usage.watch(), name="usage")
        try:
            with listening(self._folder.notify_address, self._on_notice):
                self._adopt()
                settling = asyncio.create_task(self._settle(), name="settle")
                try:
                    yield
                finally:
                    await cancel(settling)
                    self._let_go()
        finally:
            await cancel(watching)
            self._pumps.close()
            self._pumps = None
            if self._template is not None:
                self._template.end()
            self._listeners.close()

    def states(self) -> list[ProcessState]:
        """Return how every process is that was started once and not deleted, or is disabled, in the fleet's order."""
        return [
            state
            for name, program in self._programs.items()
            if name in self._wanted or not program.row.is_enabled
            for state in self._states_of(name)
        ]

    async def apply(self, programs: Sequence[Program]) -> list[str]:
        """Have processes otherwise from now on, and return the names of those that are.

        Disabled ones end; those that are enabled again and were started before start; copies become as many as the row
        says where it says another number. What runs goes on as it is: limits hold at once, commands and environments
        when a process is started next.
        """
        async with self._applying:
            changed = [program for program in programs if self._programs.get(program.name) != program]
            log.info("fleet_applied", changed=[program.name for program in changed])
            applying = (self._apply_one(program) for program in changed if program.name in self._programs)
            for outcome in await asyncio.gather(*applying, return_exceptions=True):
                if isinstance(outcome, BaseException):  # of one process; no reason to hold up another
                    log.error("process_cannot_start", reason=str(outcome))
            return [program.name for program in changed]

    async def start(self, name: str) -> list[ProcessState]:
        """Have a process running, a job on its schedule. Idempotent. Raises Unavailable where it is not ready."""
        self._want(name, is_started=True)
        if name in self._jobs:
            await self._jobs[name].start()
        else:
            await together(instance.start() for instance in self._instances_of(name))
        return self._states_of(name)

    async def stop(self, name: str) -> list[ProcessState]:
        """Have a process stopped, a job off its schedule. Idempotent."""
        self._want(name, is_started=False)
        if name in self._jobs:
            await self._jobs[name].stop()
        else:
            await together(instance.stop() for instance in self._instances_of(name))
            self._listeners.drop(self._program(name))
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
        del self._wanted[name]
        write_wanted(self._folder.wanted, self._wanted)

    async def scale(self, name: str, count: int) -> list[ProcessState]:
        """Have so many copies of a worker. Raises Refused for those there can be only one of."""
        row = self._program(name).row
        if row.kind != "worker" or row.is_single:
            raise Refused(f"There can be only one {name}.")
        if not 1 <= count <= MOST_INSTANCES:
            raise Refused(f"{name} can have 1 to {MOST_INSTANCES} copies, not {count}.")
        instances = self._instances_of(name)
        self._refuse_disabled(name)
        self._wanted[name] = Wanted(is_started=True, instances=count, row_instances=row.instances)
        write_wanted(self._folder.wanted, self._wanted)
        surplus, instances[count:] = instances[count:], []
        await together(instance.stop() for instance in surplus)
        return await self.start(name)

    async def trigger(self, name: str, cause: Cause = "trigger") -> asyncio.Task[JobRecord]:
        """Start a run of a job; the task ends with it. Raises Refused for another kind, Conflict while it runs."""
        self._program(name)
        if name not in self._jobs:
            raise Refused(f"{name} is no job: it runs for ever once started.")
        self._refuse_disabled(name)
        return await self._jobs[name].run(cause)

    def runs(self, name: str) -> list[JobRecord]:
        """Return the remembered runs of a job, the oldest first. Raises Refused for another kind."""
        self._program(name)
        if name not in self._jobs:
            raise Refused(f"{name} is no job: it has no runs.")
        return self._jobs[name].history.read()

    def save(self) -> int:
        """Remember what is wanted now for `resurrect`; returns of how many processes."""
        shutil.copyfile(self._folder.wanted, self._folder.saved)
        return len(self._wanted)

    async def resurrect(self) -> list[ProcessState]:
        """Bring back what `save` remembered. Raises NotFound where nothing was saved."""
        saved = read_wanted(self._folder.saved)
        if not saved:
            raise NotFound("Nothing was saved: killreport save does it.")
        self._wanted |= {name: wanted for name, wanted in saved.items() if name in self._programs}
        write_wanted(self._folder.wanted, self._wanted)
        await together(self.start(name) for name, wanted in saved.items() if wanted.is_started and self._may_run(name))
        return self.states()

    async def stop_all(self) -> None:
        """End every process; what is wanted stays as it is, so that the next supervisor starts them again.

        Jobs and workers first, side by side; then one service after the other, the last one first: each finds what it
        asks until it has ended. Cancelled: all are killed at once.
        """
        try:
            stopping: list[Awaitable[object]] = [job.stop() for job in self._jobs.values()]
            stopping += [
                instance.stop() for instance in self._all_instances() if instance.program.row.kind != "service"
            ]
            await asyncio.gather(*stopping)
            for name in reversed(self._programs):
                await asyncio.gather(*(instance.stop() for instance in self._instances.get(name, [])))
        finally:
            for child, _instance in self._children():
                child.send(signal.SIGKILL)

    def drain(self, name: str) -> None:
        """Have everything in the log, and told to the witness, that a process wrote until now."""
        if self._pumps is not None:
            self._pumps.drain(name)

    def pids(self) -> list[int]:
        """Return the ids of this process, of what it runs, and of what that is forked from."""
        warm = self._template.pid if self._template is not None else None
        return [os.getpid(), *self._pids(), *([] if warm is None else [warm])]

    def _program(self, name: str) -> Program:
        if name not in self._programs:
            raise NotFound(f"There is no process called {name}.")
        return self._programs[name]

    def _may_run(self, name: str) -> bool:
        return name in self._programs and self._programs[name].row.is_enabled

    def _refuse_disabled(self, name: str) -> None:
        if not self._program(name).row.is_enabled:
            raise Refused(f"{name} is disabled in fleet.toml; killreport fleet edit opens it.")

    def _count(self, name: str) -> int:
        row_instances = self._program(name).row.instances
        return self._wanted[name].count(row_instances) if name in self._wanted else row_instances

    async def _apply_one(self, program: Program) -> None:
        name = program.name
        self._programs[name] = program
        is_wanted = name in self._wanted and self._wanted[name].is_started and program.row.is_enabled
        if name in self._jobs:
            job = self._jobs[name]
            await job.use(program)
            if is_wanted:
                await job.start()
            elif not program.row.is_enabled:
                await job.stop()
            return
        instances = self._instances.setdefault(name, [])
        for instance in instances:
            instance.use(program)
        count = self._count(name) if is_wanted else 0
        surplus, instances[count:] = instances[count:], []
        await together(instance.stop() for instance in surplus)
        if is_wanted:
            # Its readiness is no condition for the others' changes; the list tells how it gets on.
            await together(
                instance.settle(is_wanted=True) for instance in self._instances_of(name) if not instance.child
            )
        else:
            self._listeners.drop(program)

    def _want(self, name: str, *, is_started: bool) -> None:
        if is_started:
            self._refuse_disabled(name)
        row_instances = self._program(name).row.instances
        before = self._wanted.get(name, Wanted(is_started=False, instances=row_instances, row_instances=row_instances))
        self._wanted[name] = msgspec.structs.replace(before, is_started=is_started)
        write_wanted(self._folder.wanted, self._wanted)

    def _instances_of(self, name: str) -> list[Instance]:
        program = self._program(name)
        instances = self._instances.setdefault(name, [])
        count = self._count(name)
        instances += [self._new_instance(program, number) for number in range(len(instances), count)]
        return instances

    def _new_instance(self, program: Program, number: int) -> Instance:
        def on_end(status: int | None, pause_seconds: float | None) -> None:
            if self._witness is not None:
                self.drain(program.name)
                self._witness.on_end(program.name, status, pause_seconds)

        return Instance(
            program, number, self._folder, lambda: self._listeners.get(program), self._template, on_end=on_end
        )

    def _all_instances(self) -> list[Instance]:
        return [instance for instances in self._instances.values() for instance in instances]

    def _states_of(self, name: str) -> list[ProcessState]:
        if name in self._jobs:
            job = self._jobs[name]
            pid = job.child.pid if job.child else None
            return [job_state(job, self._usage.latest.get(pid or 0), self._usage.cpu_percent(pid))]
        found = []
        for instance in self._instances_of(name):
            pid = instance.child.pid if instance.child else None
            found.append(instance_state(instance, self._usage.latest.get(pid or 0), self._usage.cpu_percent(pid)))
        return found

    async def _replace(self, name: str, how: Callable[[Instance], Awaitable[None]]) -> list[ProcessState]:
        self._want(name, is_started=True)
        if name in self._jobs:
            await self._jobs[name].stop()
            await self._jobs[name].start()
        else:
            # One after the other: the rest of the copies work meanwhile.
            for instance in self._instances_of(name):
                await how(instance)
        return self._states_of(name)

    def _adopt(self) -> None:
        for child in adopt_dropped(self._folder, self._programs):
            self._in_background(child.end(KILL_SECONDS))
        for name, program in self._programs.items():
            if name in self._jobs:
                self._jobs[name].adopt()
                continue
            numbers = {int(path.name.rsplit(".", 2)[1]) for path in self._folder.slots.glob(f"{name}.*.?")}
            instances = self._instances_of(name)
            instances += [self._new_instance(program, number) for number in sorted(numbers) if number >= len(instances)]
            for instance in instances:
                for child in instance.adopt():
                    if program.port is not None:
                        self._listeners.take_back(program, child.listener())

    async def _settle(self) -> None:
        settling: list[Awaitable[object]] = []
        for name, instances in list(self._instances.items()):
            is_wanted = name in self._wanted and self._wanted[name].is_started and self._may_run(name)
            count = self._count(name) if is_wanted else 0
            settling += [instance.settle(is_wanted=instance.number < count) for instance in instances]
        for name, job in self._jobs.items():
            if name in self._wanted and self._wanted[name].is_started and self._may_run(name):
                settling.append(job.start())
        for outcome in await asyncio.gather(*settling, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("process_cannot_start", reason=str(outcome))
        for name, instances in self._instances.items():
            count = self._count(name) if name in self._wanted else 0
            del instances[count:]

    def _children(self) -> list[tuple[Child, Instance | None]]:
        found: list[tuple[Child, Instance | None]] = [
            (instance.child, instance) for instance in self._all_instances() if instance.child is not None
        ]
        return found + [(job.child, None) for job in self._jobs.values() if job.child is not None]

    def _pids(self) -> list[int]:
        return [child.pid for child, _instance in self._children() if child.is_alive]

    def _on_notice(self, session: int, fields: dict[str, str]) -> None:
        for child in list(Child.living):
            if child.pid == session and child.is_alive:
                child.hear(fields)

    def _enforce_limits(self, sample: dict[int, Usage]) -> None:
        own = {child.pid for child in Child.living}
        bury_orphans(own | ({self._template.pid} if self._template and self._template.pid else set()))
        for child, instance in self._children():
            usage = sample.get(child.pid)
            if instance is None or instance.is_busy or usage is None:
                continue
            # Ticks of ours are counted, not the clock: a machine that slept has heard nothing, and nobody hangs.
            if instance.look_at_loop(SAMPLE_SECONDS):
                log.warning("process_hangs", process=instance.program.name, silent_seconds=child.silent_seconds)
                child.pings = False
                self._in_background(child.abort())
                continue
            limit = instance.program.row.memory_limit_mb << 20
            if usage.memory_bytes > limit:
                log.warning("memory_limit", process=instance.program.name, used=usage.memory_bytes, limit=limit)
                self._in_background(self._replace_one(instance))

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work, name="replace")
        self._replacing.add(task)
        task.add_done_callback(self._replacing.discard)

    async def _replace_one(self, instance: Instance) -> None:
        try:
            await instance.reload()
        except KillreportError as error:
            log.warning("process_not_replaced", process=instance.program.name, reason=str(error))

    def _let_go(self) -> None:
        for task in self._replacing:
            task.cancel()
        for instance in self._all_instances():
            instance.let_go()
        for job in self._jobs.values():
            job.let_go()
