"""Looking after what runs: what processes write and say of themselves, what they use, and that they are found."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any

from killreport.background import Errands, beside, keep
from killreport.supervisor.anchors import Anchor, Slots
from killreport.supervisor.disk_watch import DiskWatch
from killreport.supervisor.dropped import KILL_SECONDS, adopt_dropped
from killreport.supervisor.folder import FleetFolder
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
from killreport.supervisor.registry import Registry


class Watch:
    """Has the fleet as `wanted.json` says while it runs. One at a time in a folder: whoever has the folder's lock.

    template: what processes are forked from that can be; None starts each as a program of its own.
    observer: told what they write and when one ends. disk_warning_mb: with less room on the disk, the log says so.
    """

    def __init__(
        self,
        programs: list[Program],
        folder: FleetFolder,
        template: Template | None,
        observer: Observer | None,
        *,
        disk_warning_mb: int,
    ) -> None:
        self._observer = observer
        self._folder = folder
        self._template = template
        self.registry = Registry(programs, folder, template, self._on_end)
        self.usage = UsageWatch(self.registry.pids, self._on_sample)
        self._pumps: Pumps | None = None
        self._inbox: Inbox | None = None
        self._slots = Slots(self.registry, self._in_background)
        self._limits = ResourceLimits(self.registry, self._in_background)
        self._disk = DiskWatch(folder.path, disk_warning_mb)
        self._replacing = Errands()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Take over what runs already, bring everything to what is wanted, and look after it while the block runs.

        At the end the processes are let go, and go on: `Verbs.stop_all` before ends them.
        """
        self._pumps = Pumps(self.registry.units, self._folder, self._observer)
        try:
            async with beside(keep(self.usage.watch, "usage")), beside(keep(self._disk.watch, "disk")):
                self._inbox = Inbox(self._folder.notify_address, self._on_notice)
                try:
                    for child in adopt_dropped(self._folder, self.registry.units):
                        self._in_background(child.end(KILL_SECONDS))
                    for unit in self.registry.units.values():
                        unit.adopt()
                    async with beside(self.registry.settle(), "settle"):
                        yield
                finally:
                    self._replacing.cancel()
                    self.registry.let_go()
                    self._inbox.close()
        finally:
            self._pumps.close()
            self._pumps = None
            if self._template is not None:
                self._template.end()
            self.registry.listeners.close()

    def anchors(self) -> dict[str, Anchor]:
        """Return what its processes are found by, and it by them, while it runs."""
        assert self._inbox is not None
        assert self._pumps is not None
        return {"notices": self._inbox, "pipes": self._pumps, "wanted": self.registry, "slots": self._slots}

    def end_strays(self) -> None:
        """End what no other supervisor could take over: its slot is gone."""
        for child in self._slots.strays():
            child.send(signal.SIGKILL)

    def drain(self, name: str) -> None:
        """Have everything in the log, and told to the observer, that a process wrote until now."""
        if self._pumps is not None:
            self._pumps.drain(name)

    def pids(self) -> list[int]:
        """Return the ids of this process, of what it runs, and of what that is forked from."""
        return [os.getpid(), *self.registry.pids(), *self._warm_pids()]

    def _warm_pids(self) -> list[int]:
        return [self._template.pid] if self._template is not None and self._template.pid is not None else []

    def _on_notice(self, session: int, fields: dict[str, str]) -> None:
        for child in list(Child.living):
            if child.pid == session and child.is_alive:
                child.hear(fields)

    def _on_end(self, name: str, status: int | None, pause_seconds: float | None) -> None:
        if self._observer is not None:
            self.drain(name)
            self._observer.on_end(name, status, pause_seconds)

    def _on_sample(self, sample: dict[int, Usage]) -> None:
        bury_orphans({child.pid for child in Child.living}.union(self._warm_pids()))
        self._limits.enforce(sample)
        self.registry.files.retry()

    def _in_background(self, work: Coroutine[Any, Any, None]) -> None:
        self._replacing.run(work, "replace")
