"""What can be done to the processes of a fleet."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Sequence

import structlog

from killreport.errors import NotFound, Refused
from killreport.fleet.override_keys import MAX_INSTANCES
from killreport.supervisor.copies import Copies
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.job import Cause
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.usage import UsageWatch
from killreport.supervisor.registry import Registry
from killreport.supervisor.runs import JobRecord
from killreport.supervisor.state import ProcessState, state_of
from killreport.supervisor.tasks import together
from killreport.supervisor.wanted import WantedState, read_wanted, write_wanted

log = structlog.get_logger()


class Verbs:
    """What is wanted is written down before anything is done about it. usage: what the processes use."""

    def __init__(self, registry: Registry, folder: FleetFolder, usage: UsageWatch) -> None:
        self._registry = registry
        self._folder = folder
        self._usage = usage
        self._applying = asyncio.Lock()

    def states(self) -> list[ProcessState]:
        """Return how every process is that is listed, in the fleet's order."""
        return [state for name in self._registry.units if self._registry.is_listed(name) for state in self._of(name)]

    async def apply(self, programs: Sequence[Program]) -> list[str]:
        """Apply overrides from now on, and return the names of the processes that changed.

        Disabled ones end; those that are enabled again and were started before start; copies become as many as the row
        says where it says another number. What runs goes on as it is: limits hold at once, commands and environments
        when a process is started next.
        """
        units = self._registry.units
        async with self._applying:
            changed = [new for new in programs if new.name not in units or units[new.name].program != new]
            log.info("fleet_applied", changed=[program.name for program in changed])
            applying = (self._apply_one(program) for program in changed if program.name in units)
            for outcome in await asyncio.gather(*applying, return_exceptions=True):
                if isinstance(outcome, BaseException):  # of one process; no reason to hold up another
                    log.error("process_cannot_start", reason=str(outcome))
            return [program.name for program in changed]

    async def start(self, name: str) -> list[ProcessState]:
        """Have a process running, a job on its schedule. Idempotent. Raises Unavailable where it is not ready."""
        self._registry.want(name, is_started=True)
        await self._registry.unit(name).start()
        return self._of(name)

    async def stop(self, name: str) -> list[ProcessState]:
        """Have a process stopped, a job off its schedule. Idempotent."""
        self._registry.want(name, is_started=False)
        await self._registry.unit(name).stop()
        return self._of(name)

    async def restart(self, name: str) -> list[ProcessState]:
        """Stop a process and start it. Raises Unavailable where it is not ready."""
        self._registry.want(name, is_started=True)
        await self._registry.unit(name).restart()
        return self._of(name)

    async def reload(self, name: str) -> list[ProcessState]:
        """Replace a process without a gap. Raises Unavailable where the new one is not ready; the old one stays."""
        self._registry.want(name, is_started=True)
        await self._registry.unit(name).reload()
        return self._of(name)

    async def delete(self, name: str) -> None:
        """Stop a process and list it no longer."""
        await self.stop(name)
        self._registry.wanted.pop(name, None)  # somebody else may have deleted it meanwhile
        self._registry.remember()

    async def scale(self, name: str, count: int) -> list[ProcessState]:
        """Have so many copies of a worker. Raises Refused for those there can be only one of."""
        unit = self._registry.unit(name)
        row = unit.program.row
        if row.kind != "worker" or row.is_single or not isinstance(unit, Copies):
            raise Refused(f"There can be only one {name}.")
        if not 1 <= count <= MAX_INSTANCES:
            raise Refused(f"{name} can have 1 to {MAX_INSTANCES} copies, not {count}.")
        self._registry.refuse_disabled(name)
        self._registry.wanted[name] = WantedState(is_started=True, instances=count, row_instances=row.instances)
        self._registry.remember()
        await unit.retire(count)
        return await self.start(name)

    async def trigger(self, name: str, cause: Cause = "trigger") -> asyncio.Task[JobRecord]:
        """Start a run of a job; the task ends with it. Raises Refused for another kind, Conflict while it runs."""
        job = self._registry.job(name, "it runs for ever once started")
        self._registry.refuse_disabled(name)
        return await job.run(cause)

    def runs(self, name: str) -> list[JobRecord]:
        """Return the remembered runs of a job, the oldest first. Raises Refused for another kind."""
        return self._registry.job(name, "it has no runs").history.read()

    def save(self) -> int:
        """Remember what is wanted now for `resurrect`; returns of how many processes."""
        write_wanted(self._folder.saved, self._registry.wanted)
        return len(self._registry.wanted)

    async def resurrect(self) -> list[ProcessState]:
        """Bring back what `save` remembered; what runs beyond it goes on. Raises NotFound where nothing was saved."""
        saved = read_wanted(self._folder.saved)
        if not saved:
            raise NotFound("Nothing was saved yet: run killreport save first.")
        self._registry.bring_back(saved)
        await together(self.start(name) for name in saved if self._registry.is_to_run(name))
        return self.states()

    async def stop_all(self) -> None:
        """End every process; what is wanted stays as it is, so that the next supervisor starts them again.

        Jobs and workers first, side by side; then one service after the other, the last one first: each finds what it
        asks until it has ended. Cancelled: all are killed at once.
        """
        units = self._registry.units.values()
        try:
            first = (unit for unit in units if unit.program.row.kind != "service")
            await asyncio.gather(*(owner.stop() for unit in first for owner in unit.owners))
            for unit in reversed(units):
                await asyncio.gather(*(owner.stop() for owner in unit.owners))
        finally:
            for child, _owner in self._registry.children():
                child.send(signal.SIGKILL)

    async def _apply_one(self, program: Program) -> None:
        unit = self._registry.units[program.name]
        unit.use(program)
        await unit.apply(is_wanted=self._registry.is_to_run(program.name))

    def _of(self, name: str) -> list[ProcessState]:
        return [state_of(owner, self._usage) for owner in self._registry.unit(name).shown]
