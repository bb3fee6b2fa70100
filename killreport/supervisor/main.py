"""The supervisor as a process."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import asynccontextmanager, closing, contextmanager
from dataclasses import dataclass

import structlog

from killreport.background import beside, keep
from killreport.supervisor.anchors import Anchors
from killreport.supervisor.control import Control
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.lock import FleetLock
from killreport.supervisor.observer import Observer
from killreport.supervisor.process.forking import LISTEN_DESCRIPTOR
from killreport.supervisor.process.orphans import take_orphans
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.template import Template
from killreport.supervisor.verbs import Verbs
from killreport.supervisor.watch import Watch

log = structlog.get_logger()


@dataclass(frozen=True)
class Supervisor:
    """The parts of one that is at work: what can be done to its processes, and what looks after them."""

    verbs: Verbs
    watch: Watch
    control: Control


@asynccontextmanager
async def supervising(
    programs: Sequence[Program],
    folder: FleetFolder,
    stop: asyncio.Event,
    *,
    read_programs: Callable[[], Sequence[Program]] | None = None,
    template: Template | None = None,
    disk_warning_mb: int = 0,
    observer: Observer | None = None,
) -> AsyncIterator[Supervisor]:
    """Supervise during the block, and lend the supervisor; at the end the processes go on, and the next one takes them
    over. Raises Conflict where another one runs them.

    stop: set when somebody says `kill`, once every process has ended. read_programs: returns the programs as they are
    wanted now, when somebody says `apply`; raises BadSetting. template: what the processes are forked from; None: each
    is started as a program of its own. disk_warning_mb: with less room on the disk of the folder, the log says so.
    """
    take_orphans()
    with closing(FleetLock(folder)) as lock, _reserved_descriptor():
        watch = Watch(list(programs), folder, template, observer, disk_warning_mb=disk_warning_mb)
        verbs = Verbs(watch.registry, folder, watch.usage)
        control = Control(verbs, folder, stop, read_programs)

        def on_superseded() -> None:
            watch.end_strays()
            stop.set()

        async with watch.running(), control.listening():
            anchors = Anchors(folder, {"lock": lock, **watch.anchors(), "control": control}, on_superseded)
            async with beside(keep(anchors.watch, "anchors", may_end=True)):
                log.info("supervisor_started", pid=os.getpid(), folder=str(folder.path))
                yield Supervisor(verbs, watch, control)
        log.info("supervisor_ended")


@contextmanager
def _reserved_descriptor() -> Iterator[None]:
    """Keep the number free that a child finds its socket at, so that in the child nothing else is there."""
    opened = []
    with contextlib.suppress(OSError):
        while (descriptor := os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC)) < LISTEN_DESCRIPTOR:
            opened.append(descriptor)
        opened.append(descriptor)
    try:
        yield
    finally:
        for descriptor in opened:
            os.close(descriptor)
