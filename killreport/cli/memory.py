"""How much memory processes hold. Linux tells; elsewhere nothing is known."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

CHECK_SECONDS = 1.0

log = structlog.get_logger()


def proportional_megabytes(pids: Iterable[int]) -> float:
    """Return what the processes hold together in MB; what several share counts once. Those that ended count nothing."""
    return sum(_kilobytes(pid) for pid in pids) / 1024


@contextmanager
def stop_above(limit_mb: int | None, stop: asyncio.Event, check_seconds: float = CHECK_SECONDS) -> Iterator[None]:
    """Set `stop` as soon as this process holds more than the limit, for the time of the block. None: never.

    For process managers that know no other answer to a limit than to kill.
    """
    if limit_mb is None:
        yield
        return
    watching = asyncio.get_running_loop().create_task(_watch(limit_mb, stop, check_seconds))
    try:
        yield
    finally:
        watching.cancel()


async def _watch(limit_mb: int, stop: asyncio.Event, check_seconds: float) -> None:
    while not stop.is_set():
        held = proportional_megabytes([os.getpid()])
        if held > limit_mb:
            log.warning("memory_limit", limit_mb=limit_mb, held_mb=round(held))
            stop.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(stop.wait(), check_seconds)


def _kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
