"""What is in the fleet: its services, workers and jobs by name, and what is wanted of each."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from functools import partial

import msgspec
import structlog

from killreport.errors import NotFound, Refused
from killreport.supervisor.copies import Copies, OnEnd
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.job import ScheduledJob
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.process.child import Child
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.template import Template
from killreport.supervisor.state_files import StateFiles
from killreport.supervisor.wanted import WantedState, read_wanted, wanted_bytes

log = structlog.get_logger()


class Registry:
    """Finds what a name stands for, and remembers on the disk what is wanted of it.

    files: where it and the jobs write down what outlives this process. on_end: as for `Copies`.
    """

    def __init__(
        self, programs: Sequence[Program], folder: FleetFolder, template: Template | None, on_end: OnEnd
    ) -> None:
        self.files = StateFiles()
        self.wanted = read_wanted(folder.wanted)
        self.listeners = Listeners()
        self._folder = folder
        self.units: dict[str, Copies | ScheduledJob] = {
            program.name: ScheduledJob(program, folder, template, self.files)
            if program.row.kind == "job"
            else Copies(
                program,
                folder,
                template,
                listeners=self.listeners,
                count=partial(self.count, program.name),
                on_end=on_end,
            )
            for program in programs
        }

    def unit(self, name: str) -> Copies | ScheduledJob:
        """Return what has this name. Raises NotFound."""
        if name not in self.units:
            raise NotFound(f"There is no process called {name}.")
        return self.units[name]

    def job(self, name: str, because: str) -> ScheduledJob:
        """Return the job of this name. because: why another kind will not do. Raises NotFound, Refused."""
        unit = self.unit(name)
        if not isinstance(unit, ScheduledJob):
            raise Refused(f"{name} is not a job: {because}.")
        return unit

    def is_to_run(self, name: str) -> bool:
        """Tell whether it was started, and may be."""
        is_started = name in self.wanted and self.wanted[name].is_started
        return is_started and name in self.units and self.units[name].program.row.is_enabled

    def is_listed(self, name: str) -> bool:
        """Tell whether it was started once and not deleted, or is disabled, or is a job that runs."""
        unit = self.unit(name)
        return (
            name in self.wanted
            or not unit.program.row.is_enabled
            or (isinstance(unit, ScheduledJob) and unit.is_running)
        )

    def refuse_disabled(self, name: str) -> None:
        """Raise Refused where `fleet.toml` says that it must not run, NotFound where nobody is called so."""
        if not self.unit(name).program.row.is_enabled:
            raise Refused(f"{name} is disabled in fleet.toml; killreport fleet edit opens it.")

    def count(self, name: str) -> int:
        """Return how many copies there are to be of it where it is to run."""
        row_instances = self.unit(name).program.row.instances
        return self.wanted[name].count(row_instances) if name in self.wanted else row_instances

    def want(self, name: str, *, is_started: bool) -> None:
        """Remember that it is to run, or not. Raises Refused for one that is disabled."""
        if is_started:
            self.refuse_disabled(name)
        row_instances = self.unit(name).program.row.instances
        before = self.wanted.get(
            name, WantedState(is_started=False, instances=row_instances, row_instances=row_instances)
        )
        self.wanted[name] = msgspec.structs.replace(before, is_started=is_started)
        self.remember()

    def bring_back(self, saved: Mapping[str, WantedState]) -> None:
        """Want what was saved; of what is to run now nothing is wanted less, for nobody asked to end it."""
        for name, kept in saved.items():
            if name not in self.units:
                continue
            copies = kept.count(self.unit(name).program.row.instances)
            if self.is_to_run(name) and not (kept.is_started and copies > self.count(name)):
                continue
            self.wanted[name] = kept
        self.remember()

    def remember(self) -> None:
        """Have on the disk what is wanted now, as soon as the disk takes it: stopping needs no room."""
        self.files.write(self._folder.wanted, wanted_bytes(self.wanted))

    @property
    def is_in_place(self) -> bool:
        """Tell whether the next supervisor would know what is wanted."""
        return self._folder.wanted.exists() or not self.wanted

    def put_back(self) -> None:
        """Have it on the disk again. Raises OSError."""
        self.remember()

    def children(self) -> list[tuple[Child, Instance | ScheduledJob]]:
        """Return every process that was started and not cleared away, with whose it is."""
        owners = (owner for unit in self.units.values() for owner in unit.owners)
        return [(owner.child, owner) for owner in owners if owner.child is not None]

    def pids(self) -> list[int]:
        """Return the ids of all that live."""
        return [child.pid for child, _owner in self.children() if child.is_alive]

    async def settle(self) -> None:
        """Bring everything that was adopted to what is wanted."""
        settling = (unit.settle(is_wanted=self.is_to_run(name)) for name, unit in self.units.items())
        for outcome in await asyncio.gather(*settling, return_exceptions=True):
            if isinstance(outcome, BaseException):
                log.error("process_cannot_start", reason=str(outcome))
        for name, unit in self.units.items():
            if isinstance(unit, Copies):
                del unit.instances[self.count(name) if name in self.wanted else 0 :]

    def let_go(self) -> None:
        """Leave everything running, for the next supervisor."""
        for unit in self.units.values():
            for owner in unit.owners:
                owner.let_go()
