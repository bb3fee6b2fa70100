"""What others find this supervisor and its processes by: files that anybody may delete, and that are put back."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, Protocol
from weakref import WeakSet

import structlog

from killreport.errors import Conflict, KillreportError
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.instance import Instance
from killreport.supervisor.process.child import Child
from killreport.supervisor.registry import Registry

LOOK_SECONDS = 0.5

log = structlog.get_logger()


class Anchor(Protocol):
    """One of them. put_back: raises OSError, or Conflict where somebody else has taken its place."""

    @property
    def is_in_place(self) -> bool:
        """Tell whether whoever looks there finds what is ours."""

    def put_back(self) -> None:
        """Have it there again."""


class Anchors:
    """Looks after them. on_superseded: called once another supervisor has taken the place of this one."""

    def __init__(self, folder: FleetFolder, anchors: Mapping[str, Anchor], on_superseded: Callable[[], None]) -> None:
        self._folder = folder
        self._anchors = anchors
        self._on_superseded = on_superseded
        self._missed: set[str] = set()

    async def watch(self) -> None:
        """Look for ever, or until another supervisor has the place. Raises OSError where nothing can be put back."""
        while True:
            try:
                self.look()
            except Conflict as error:
                log.error("superseded", reason=str(error))
                self._on_superseded()
                return
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Put back what is missing. Raises OSError, Conflict."""
        missing = {name for name, anchor in self._anchors.items() if not anchor.is_in_place}
        if missing - self._missed:
            log.warning("files_deleted", missing=sorted(missing), folder=str(self._folder.path))
        self._missed = missing
        if missing:
            FleetFolder.make(self._folder.path.parent)
        for name, anchor in self._anchors.items():
            if name in missing:
                anchor.put_back()


class Slots:
    """The slots of what runs: one whose file is gone can be found by no other supervisor, so it is replaced."""

    def __init__(self, registry: Registry, in_background: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._registry = registry
        self._in_background = in_background
        self._replaced: WeakSet[Child] = WeakSet()

    @property
    def is_in_place(self) -> bool:
        """Tell whether whoever looks into the slots finds all that runs."""
        return not self._lost()

    def put_back(self) -> None:
        """Replace the services and workers that nobody would find; a job's run ends by itself, and has an end."""
        for child, owner in self._lost():
            if child not in self._replaced and not owner.is_busy:
                self._replaced.add(child)
                self._in_background(self._replace(child, owner))

    def strays(self) -> list[Child]:
        """Return what runs and would be found by no other supervisor, jobs too."""
        return [child for child, _owner in self._registry.children() if child.is_alive and not child.is_in_slot]

    def _lost(self) -> list[tuple[Child, Instance]]:
        return [
            (child, owner)
            for child, owner in self._registry.children()
            if isinstance(owner, Instance) and child.is_alive and not child.is_in_slot
        ]

    async def _replace(self, child: Child, owner: Instance) -> None:
        try:
            await owner.reload()
        except KillreportError as error:
            log.warning("process_not_replaced", process=owner.program.name, reason=str(error))
            await asyncio.sleep(LOOK_SECONDS * 10)
            self._replaced.discard(child)
