"""All copies of one service or worker: verbs are done to them as one, as to a job."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.listeners import Listeners
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.template import Template
from killreport.supervisor.tasks import together

OnEnd = Callable[[str, int | None, float | None], None]


class Copies:
    """count: returns how many copies there are to be. on_end: told the name of a process that ended unasked, its
    status, and the seconds until the next is started.
    """

    def __init__(
        self,
        program: Program,
        folder: FleetFolder,
        template: Template | None,
        *,
        listeners: Listeners,
        count: Callable[[], int],
        on_end: OnEnd,
    ) -> None:
        self.program = program
        self.instances: list[Instance] = []
        self._folder = folder
        self._template = template
        self._listeners = listeners
        self._count = count
        self._on_end = on_end
        self._leaving: set[Instance] = set()

    @property
    def owners(self) -> Sequence[Instance]:
        """Return every copy, those too that are about to end for good."""
        return [*self.instances, *self._leaving]

    @property
    def shown(self) -> Sequence[Instance]:
        """Return the copies, made up to the number wanted."""
        self._add_up_to(self._count())
        return list(self.instances)

    def use(self, program: Program) -> None:
        """Apply overrides from now on: limits at once; command and environment when a copy is started next."""
        self.program = program
        for instance in self.instances:
            instance.use(program)

    def adopt(self) -> None:
        """Take over whatever lives in the slots."""
        numbers = [int(path.name.rsplit(".", 2)[1]) for path in self._folder.slots.glob(f"{self.program.name}.*.?")]
        self._add_up_to(max([self._count() - 1, *numbers]) + 1)
        for instance in self.instances:
            for child in instance.adopt():
                if self.program.port is not None:
                    self._listeners.take_back(self.program, child.listener())

    async def settle(self, *, is_wanted: bool) -> None:
        """Bring what was adopted to what is wanted."""
        count = self._count() if is_wanted else 0
        await together(instance.settle(is_wanted=instance.number < count) for instance in self.instances)

    async def apply(self, *, is_wanted: bool) -> None:
        """Bring the number of copies to what is wanted now; what runs goes on as it is."""
        await self.retire(self._count() if is_wanted else 0)
        if is_wanted:
            # Its readiness is no condition for others' changes; the list tells how it gets on.
            await together(instance.settle(is_wanted=True) for instance in self.shown if not instance.child)
        else:
            self._listeners.drop(self.program)

    async def retire(self, count: int) -> None:
        """End the copies beyond so many. Until one has ended it is the fleet's: who ends everything ends it too."""
        surplus, self.instances[count:] = self.instances[count:], []
        self._leaving.update(surplus)
        await together(self._see_off(instance) for instance in surplus)

    async def start(self) -> None:
        """Have them running. Raises Unavailable where one is not ready."""
        await together(instance.start() for instance in self.shown)

    async def stop(self) -> None:
        """Have them stopped, and nobody listen."""
        await together(instance.stop() for instance in self.shown)
        self._listeners.drop(self.program)

    async def restart(self) -> None:
        """Stop each and start it. Raises Unavailable where it is not ready."""
        for instance in self.shown:  # one after the other: the rest work meanwhile
            await instance.restart()

    async def reload(self) -> None:
        """Replace each without a gap. Raises Unavailable where the new one is not ready; the old one stays."""
        for instance in self.shown:
            await instance.reload()

    async def _see_off(self, instance: Instance) -> None:
        await instance.stop()
        self._leaving.discard(instance)

    def _add_up_to(self, count: int) -> None:
        for number in range(len(self.instances), count):
            self.instances.append(
                Instance(
                    self.program,
                    number,
                    self._folder,
                    lambda: self._listeners.get(self.program),
                    self._template,
                    on_end=lambda status, pause_seconds: self._on_end(self.program.name, status, pause_seconds),
                )
            )
