"""What a process may use, and how long its loop may be silent: looked at with every sample, and acted upon."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any
from weakref import WeakKeyDictionary

import structlog

from killreport.clock import monotonic
from killreport.errors import KillreportError
from killreport.supervisor.instance import Instance
from killreport.supervisor.job import ScheduledJob
from killreport.supervisor.process.backoff import STEADY_SECONDS
from killreport.supervisor.process.child import Child
from killreport.supervisor.process.process_table import Usage
from killreport.supervisor.process.usage import SAMPLE_SECONDS
from killreport.supervisor.registry import Registry

# After a process above its limit could not be replaced.
RETRY_SECONDS = 60.0

log = structlog.get_logger()


class ResourceLimits:
    """Replaces what uses too much memory, and aborts what hangs. in_background: runs what takes longer."""

    def __init__(self, registry: Registry, in_background: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._registry = registry
        self._in_background = in_background
        # Who is dealt with already, and from when on it may be again.
        self._not_before: WeakKeyDictionary[Child, float] = WeakKeyDictionary()

    def enforce(self, sample: dict[int, Usage]) -> None:
        """Act on what the processes use now. sample: by session."""
        for child, owner in self._registry.children():
            usage = sample.get(child.pid)
            if usage is None or (isinstance(owner, Instance) and owner.is_busy):
                continue
            # Ticks of ours are counted, not the clock: a machine that slept has heard nothing, and nobody hangs.
            if isinstance(owner, Instance) and owner.look_at_loop(SAMPLE_SECONDS):
                log.warning("process_hangs", process=owner.program.name, silent_seconds=child.silent_seconds)
                child.pings = False
                self._in_background(child.abort())
                continue
            limit_mb = owner.program.row.memory_limit_mb
            if usage.memory_bytes > limit_mb << 20 and monotonic() >= self._not_before.get(child, 0.0):
                log.warning("memory_limit", process=owner.program.name, used=usage.memory_bytes, limit=limit_mb << 20)
                self._not_before[child] = float("inf")
                reason = f"used {usage.memory_bytes >> 20} MB, above its limit of {limit_mb} MB"
                self._in_background(self._replace(child, owner, reason))

    async def _replace(self, child: Child, owner: Instance | ScheduledJob, reason: str) -> None:
        """Replace without a gap what worked for a while; what needs too much at once ends, and its pauses grow."""
        if isinstance(owner, ScheduledJob) or child.age_seconds < STEADY_SECONDS:
            await owner.end_for(reason)
            return
        try:
            await owner.reload()
        except KillreportError as error:
            log.warning("process_not_replaced", process=owner.program.name, reason=str(error))
            self._not_before[child] = monotonic() + RETRY_SECONDS
