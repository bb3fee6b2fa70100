"""Waiting until a process says that it is ready: as long as it gets on."""

from __future__ import annotations

import asyncio

from killreport.background import racing
from killreport.errors import Unavailable
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.child import Child
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.progress import LOOK_SECONDS, ProcessProgress


class Readiness:
    """One wait for one child. progress: what takes the time."""

    def __init__(self, program: Program, child: Child, folder: FleetFolder) -> None:
        self.progress = ProcessProgress(child.pid)
        self._program = program
        self._child = child
        self._log = folder.log(program.name, "error")

    async def wait(self) -> None:
        """Return when it is ready. Raises Unavailable where it ends before, or stands still for its ready_timeout."""
        child, name = self._child, self._program.name
        limit = self._program.row.ready_timeout.total_seconds()
        pause = min(LOOK_SECONDS, limit / 2)
        async with racing(child.is_ready.wait(), child.has_ended.wait()) as waiting:
            while not (child.is_ready.is_set() or child.has_ended.is_set()):
                # Pauses are counted, not the clock: while this process stood still, nobody could be heard.
                await asyncio.wait(waiting, timeout=pause, return_when=asyncio.FIRST_COMPLETED)
                self.progress.look(pause, child.words)
                if self.progress.is_over(limit):
                    break
        if child.is_ready.is_set():
            return
        if child.is_alive:
            raise Unavailable(f"{name} took longer than {limit:g} s to be ready; its log: {self._log}")
        raise Unavailable(f"{name} ended with status {child.status} before it was ready; its log: {self._log}")
