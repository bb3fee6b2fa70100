"""A process that has become too large ends by itself, in order, so that whoever looks after it starts a fresh one.

Our supervisor needs none of this: it looks itself, and replaces without a gap. systemd, Kubernetes or PM2 either look
seldom or kill at once, with what is in hand.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import structlog

from killreport.background import beside, keep
from killreport.config import Settings
from killreport.fleet.notify import notify_stopping
from killreport.fleet.table import ProcessRow

# A manager is to start it again. Not the status of an end it was told to (0), of an error (1) or a bad setting (2);
# sysexits.h has it as EX_TEMPFAIL, "try again".
RECYCLED = 75
LOOK_SECONDS = 5.0
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")

log = structlog.get_logger()


@asynccontextmanager
async def recycling(limit_mb: int, stop: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Set `stop` during the block, and the event lent, once this process holds more than the limit; 0 MB: never."""
    is_recycled = asyncio.Event()
    if not limit_mb:
        yield is_recycled
        return

    async def watch() -> None:
        while (used := own_megabytes()) <= limit_mb:  # noqa: ASYNC110 - it is the kernel that knows
            await asyncio.sleep(LOOK_SECONDS)
        log.warning("memory_limit", used_mb=round(used), limit_mb=limit_mb, pid=os.getpid())
        is_recycled.set()
        notify_stopping()
        stop.set()

    async with beside(keep(watch, "memory limit", may_end=True)):
        yield is_recycled


def memory_limit(process: ProcessRow, settings: Settings, wanted_mb: int | None) -> int:
    """Return the limit of a process in MB: the one wanted by hand, else the setting's, else its row's."""
    limits = (wanted_mb, settings.memory_limit_mb, process.memory_limit_mb)
    return next(limit for limit in limits if limit is not None)


def own_megabytes() -> float:
    """Return how much memory this process holds (RSS) in MB; 0 where the system does not tell.

    Source: proc_pid_statm(5).
    """
    try:
        return int(Path("/proc/self/statm").read_bytes().split()[1]) * _PAGE_BYTES / (1 << 20)
    except OSError:
        return 0.0
