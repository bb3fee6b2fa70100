"""What a process may use, and how long its loop may be silent: looked at with every sample, and acted upon."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from typing import Any

import structlog

from killreport.errors import KillreportError
from killreport.supervisor.child import Child
from killreport.supervisor.instance import Instance
from killreport.supervisor.process_table import Usage
from killreport.supervisor.roster import Roster
from killreport.supervisor.usage import SAMPLE_SECONDS

log = structlog.get_logger()


class Limits:
    """Replaces copies that use too much memory, and aborts those that hang. in_background: runs what takes longer."""

    def __init__(self, roster: Roster, in_background: Callable[[Coroutine[Any, Any, None]], None]) -> None:
        self._roster = roster
        self._in_background = in_background

    def enforce(self, sample: dict[int, Usage]) -> None:
        """Act on what the processes use now. sample: by session."""
        for child, instance in self._roster.children():
            usage = sample.get(child.pid)
            if instance is None or instance.is_busy or usage is None:
                continue
            # Ticks of ours are counted, not the clock: a machine that slept has heard nothing, and nobody hangs.
            if instance.look_at_loop(SAMPLE_SECONDS):
                self._abort(child, instance)
                continue
            limit = instance.program.row.memory_limit_mb << 20
            if usage.memory_bytes > limit:
                log.warning("memory_limit", process=instance.program.name, used=usage.memory_bytes, limit=limit)
                self._in_background(_replace(instance))

    def _abort(self, child: Child, instance: Instance) -> None:
        log.warning("process_hangs", process=instance.program.name, silent_seconds=child.silent_seconds)
        child.pings = False
        self._in_background(child.abort())


async def _replace(instance: Instance) -> None:
    try:
        await instance.reload()
    except KillreportError as error:
        log.warning("process_not_replaced", process=instance.program.name, reason=str(error))
