"""All processes of one fleet, and the verbs that are done to them."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog

from killreport.errors import KillreportError, NotFound, Refused
from killreport.supervisor.child import Child
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.job import Cause, Job
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.notices import listening
from killreport.supervisor.orphans import bury_orphans
from killreport.supervisor.process_table import Usage
from killreport.supervisor.program import Program
from killreport.supervisor.pump import Pump, Scratch
from killreport.supervisor.runs import JobRecord
from killreport.supervisor.stamped_log import StampedLog
from killreport.supervisor.state import ProcessState, instance_state, job_state
from killreport.supervisor.template import Template
from killreport.supervisor.usage import UsageWatch
from killreport.supervisor.wanted import Wanted, read_wanted, write_wanted
from killreport.supervisor.witness import Witness

MOST_INSTANCES = 32

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
            name: Job(program, folder, template) for name, program in self._programs.items() if _is_job(program)
        }
        self._pumps: dict[str, list[Pump]] = {}
        self._usage = UsageWatch(self._pids, self._enforce_limits)
        self._replacing: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take over what runs already, bring everything to what is wanted, and look after it while the block runs.

        At the end the processes are let go, and go on: `stop_all` before ends them.
        """
        scratch = Scratch()
        for name in self._programs:
            self._pumps[name] = [self._pump(name, stream, scratch) for stream in ("out", "error")]
        watching = asyncio.create_task(self._usage.watch(), name="usage")
        try:
            with listening(self._folder.notify_address, self._on_notice):
                self._adopt()
                settling = asyncio.create_task(self._settle(), name="settle")
                try:
                    yield
                finally:
                    await _cancel(settling)
                    self._let_go()
        finally:
            await _cancel(watching)
            for name, pumps in self._pumps.items():
                self.drain(name)
                for pump in pumps:
                    pump.close()
            scratch.close()
            if self._template is not None:
                self._template.end()
            self._listeners.close()

    def states(self) -> list[ProcessState]:
        """Return how every process is that was started once and not deleted, in the fleet's order."""
        return [state for name in self._programs if name in self._wanted for state in self._states_of(name)]

    async def start(self, name: str) -> list[ProcessState]:
        """Have a process running, a job on its schedule. Idempotent. Raises Unavailable where it is not ready."""
        self._want(name, is_started=True)
        if name in self._jobs:
            await self._jobs[name].start()
        else:
            await _together(instance.start() for instance in self._instances_of(name))
        return self._states_of(name)

    async def stop(self, name: str) -> list[ProcessState]:
        """Have a process stopped, a job off its schedule. Idempotent."""
        self._want(name, is_started=False)
        if name in self._jobs:
            await self._jobs[name].stop()
        else:
            await _together(instance.stop() for instance in self._instances_of(name))
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
        self._wanted[name] = Wanted(is_started=True, instances=count)
        write_wanted(self._folder.wanted, self._wanted)
        surplus, instances[count:] = instances[count:], []
        await _together(instance.stop() for instance in surplus)
        return await self.start(name)

    async def trigger(self, name: str, cause: Cause = "trigger") -> asyncio.Task[JobRecord]:
        """Start a run of a job; the task ends with it. Raises Refused for another kind, Conflict while it runs."""
        self._program(name)
        if name not in self._jobs:
            raise Refused(f"{name} is no job: it runs for ever once started.")
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
        await _together(self.start(name) for name, wanted in saved.items() if wanted.is_started)
        return self.states()

    async def stop_all(self) -> None:
        """End every process; what is wanted stays as it is, so that the next supervisor starts them again.

        Jobs and workers first, side by side; then one service after the other, the last one first: each finds what it
        asks until it has ended. Cancelled: all are killed at once.
        """
        try:
            stopping: list[Awaitable[object]] = [job.stop() for job in self._jobs.values()]
            stopping += [instance.stop() for instance in self._all_instances() if not _is_service(instance.program)]
            await asyncio.gather(*stopping)
            for name in reversed(self._programs):
                await asyncio.gather(*(instance.stop() for instance in self._instances.get(name, [])))
        finally:
            for child, _instance in self._children():
                child.send(signal.SIGKILL)

    def drain(self, name: str) -> None:
        """Have everything in the log, and told to the witness, that a process wrote until now."""
        for pump in self._pumps[name]:
            pump.drain()

    def pids(self) -> list[int]:
        """Return the ids of this process, of what it runs, and of what that is forked from."""
        warm = self._template.pid if self._template is not None else None
        return [os.getpid(), *self._pids(), *([] if warm is None else [warm])]

    def _program(self, name: str) -> Program:
        if name not in self._programs:
            raise NotFound(f"There is no process called {name}.")
        return self._programs[name]

    def _want(self, name: str, *, is_started: bool) -> None:
        self._program(name)
        before = self._wanted.get(name, Wanted(is_started=False))
        self._wanted[name] = msgspec.structs.replace(before, is_started=is_started)
        write_wanted(self._folder.wanted, self._wanted)

    def _instances_of(self, name: str) -> list[Instance]:
        program = self._program(name)
        instances = self._instances.setdefault(name, [])
        count = self._wanted[name].instances if name in self._wanted else 1
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

    def _pump(self, name: str, stream: str, scratch: Scratch) -> Pump:
        def on_lines(lines: bytes) -> None:
            if self._witness is not None:
                self._witness.on_lines(name, stream, lines)

        return Pump(
            self._folder.pipes / f"{name}.{stream}", StampedLog(self._folder.log(name, stream)), scratch, on_lines
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
            wanted = self._wanted.get(name, Wanted(is_started=False, instances=0))
            count = wanted.instances if wanted.is_started else 0
            settling += [instance.settle(is_wanted=instance.number < count) for instance in instances]
        for name, job in self._jobs.items():
            if name in self._wanted and self._wanted[name].is_started:
                settling.append(job.start())
        for outcome in await asyncio.gather(*settling, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("process_cannot_start", reason=str(outcome))
        for name, instances in self._instances.items():
            count = self._wanted[name].instances if name in self._wanted else 0
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
                if fields.get("READY") == "1":
                    child.say_ready()
                child.words = fields.get("STATUS", child.words)

    def _enforce_limits(self, sample: dict[int, Usage]) -> None:
        own = {child.pid for child in Child.living}
        bury_orphans(own | ({self._template.pid} if self._template and self._template.pid else set()))
        for child, instance in self._children():
            usage = sample.get(child.pid)
            if instance is None or instance.is_busy or usage is None:
                continue
            limit = instance.program.row.memory_limit_mb << 20
            if usage.memory_bytes > limit:
                log.warning("memory_limit", process=instance.program.name, used=usage.memory_bytes, limit=limit)
                task = asyncio.create_task(self._replace_one(instance), name="memory limit")
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


def _is_job(program: Program) -> bool:
    return program.row.kind == "job"


def _is_service(program: Program) -> bool:
    return program.row.kind == "service"


async def _together(awaitables: Iterable[Awaitable[object]]) -> None:
    """Wait for all; then raise the first error, if there was one."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
