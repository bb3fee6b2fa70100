"""Who is in the fleet: its programs, what is wanted of each, and the copies and jobs that run them."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping, Sequence

import msgspec

from killreport.errors import NotFound, Refused
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.job import ScheduledJob
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.process.child import Child
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.template import Template
from killreport.supervisor.state_files import StateFiles
from killreport.supervisor.tasks import together
from killreport.supervisor.wanted import WantedState, read_wanted, wanted_bytes

OnEnd = Callable[[str, int | None, float | None], None]


class Roster:
    """Finds what a name stands for, and remembers on the disk what is wanted of it.

    files: where it and the jobs write down what outlives this process.
    on_end: told the name of a process that ended unasked, its status, and the seconds until the next is started.
    """

    def __init__(
        self, programs: Sequence[Program], folder: FleetFolder, template: Template | None, on_end: OnEnd
    ) -> None:
        self.files = StateFiles()
        self.programs = {program.name: program for program in programs}
        self.wanted = read_wanted(folder.wanted)
        self.listeners = Listeners()
        self.instances: dict[str, list[Instance]] = {}
        self._leaving: set[Instance] = set()
        self.jobs = {
            name: ScheduledJob(program, folder, template, self.files)
            for name, program in self.programs.items()
            if program.row.kind == "job"
        }
        self._folder = folder
        self._template = template
        self._on_end = on_end

    def program(self, name: str) -> Program:
        """Return the program of this name. Raises NotFound."""
        if name not in self.programs:
            raise NotFound(f"There is no process called {name}.")
        return self.programs[name]

    def job(self, name: str, because: str) -> ScheduledJob:
        """Return the job of this name. because: why another kind will not do. Raises NotFound, Refused."""
        self.program(name)
        if name not in self.jobs:
            raise Refused(f"{name} is not a job: {because}.")
        return self.jobs[name]

    def is_to_run(self, name: str) -> bool:
        """Tell whether it was started, and may be."""
        is_started = name in self.wanted and self.wanted[name].is_started
        return is_started and name in self.programs and self.programs[name].row.is_enabled

    def refuse_disabled(self, name: str) -> None:
        """Raise Refused where `fleet.toml` says that it must not run, NotFound where nobody is called so."""
        if not self.program(name).row.is_enabled:
            raise Refused(f"{name} is disabled in fleet.toml; killreport fleet edit opens it.")

    def count(self, name: str) -> int:
        """Return how many copies there are to be of it where it is to run."""
        row_instances = self.program(name).row.instances
        return self.wanted[name].count(row_instances) if name in self.wanted else row_instances

    def want(self, name: str, *, is_started: bool) -> None:
        """Remember that it is to run, or not. Raises Refused for one that is disabled."""
        if is_started:
            self.refuse_disabled(name)
        row_instances = self.program(name).row.instances
        before = self.wanted.get(
            name, WantedState(is_started=False, instances=row_instances, row_instances=row_instances)
        )
        self.wanted[name] = msgspec.structs.replace(before, is_started=is_started)
        self.remember()

    def bring_back(self, saved: Mapping[str, WantedState]) -> None:
        """Want what was saved; of what is to run now nothing is wanted less, for nobody asked to end it."""
        for name, kept in saved.items():
            if name not in self.programs:
                continue
            copies = kept.count(self.program(name).row.instances)
            if self.is_to_run(name) and not (kept.is_started and copies > self.count(name)):
                continue
            self.wanted[name] = kept
        self.remember()

    def is_run_of_job(self, name: str) -> bool:
        """Tell whether a run of this job goes on, started by hand or on time."""
        return name in self.jobs and self.jobs[name].is_running

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

    def instances_of(self, name: str) -> list[Instance]:
        """Return the copies of a service or worker, made up to the number wanted; a list that may be changed."""
        program = self.program(name)
        instances = self.instances.setdefault(name, [])
        instances += [self._new_instance(program, number) for number in range(len(instances), self.count(name))]
        return instances

    async def retire(self, name: str, count: int) -> None:
        """End the copies beyond so many. Until one has ended it is the fleet's: who ends everything ends it too."""
        instances = self.instances.setdefault(name, [])
        surplus, instances[count:] = instances[count:], []
        self._leaving.update(surplus)
        await together(self._see_off(instance) for instance in surplus)

    def all_instances(self) -> list[Instance]:
        """Return every copy of every service and worker, those too that are about to end for good."""
        return [*(instance for instances in self.instances.values() for instance in instances), *self._leaving]

    def children(self) -> list[tuple[Child, Instance | ScheduledJob]]:
        """Return every process that was started and not cleared away, with whose it is."""
        owners: list[Instance | ScheduledJob] = [*self.all_instances(), *self.jobs.values()]
        return [(owner.child, owner) for owner in owners if owner.child is not None]

    def pids(self) -> list[int]:
        """Return the ids of all that live."""
        return [child.pid for child, _owner in self.children() if child.is_alive]

    def adopt(self) -> None:
        """Take over whatever lives in the slots of these programs."""
        for name, program in self.programs.items():
            if name in self.jobs:
                self.jobs[name].adopt()
                continue
            numbers = {int(path.name.rsplit(".", 2)[1]) for path in self._folder.slots.glob(f"{name}.*.?")}
            instances = self.instances_of(name)
            instances += [self._new_instance(program, number) for number in sorted(numbers) if number >= len(instances)]
            for instance in instances:
                for child in instance.adopt():
                    if program.port is not None:
                        self.listeners.take_back(program, child.listener())

    def let_go(self) -> None:
        """Leave everything running, for the next supervisor."""
        for instance in self.all_instances():
            instance.let_go()
        for job in self.jobs.values():
            job.let_go()

    async def _see_off(self, instance: Instance) -> None:
        await instance.stop()
        self._leaving.discard(instance)

    def _new_instance(self, program: Program, number: int) -> Instance:
        def on_end(status: int | None, pause_seconds: float | None) -> None:
            self._on_end(program.name, status, pause_seconds)

        def listener() -> socket.socket | None:
            return self.listeners.get(program)

        return Instance(program, number, self._folder, listener, self._template, on_end=on_end)
