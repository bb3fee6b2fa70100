"""Memory and CPU of the running processes, sampled; who is over its limit is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable

from killreport.clock import monotonic
from killreport.supervisor.process.process_table import Usage, usage_of_sessions

# A process over its limit is replaced within two seconds.
SAMPLE_SECONDS = 0.5
_SMOOTHING_SECONDS = 3.0


class UsageWatch:
    """What each session uses, by its number. pids: returns the sessions to look at."""

    def __init__(self, pids: Callable[[], Iterable[int]], on_sample: Callable[[dict[int, Usage]], None]) -> None:
        self.latest: dict[int, Usage] = {}
        self._cpu: dict[int, float] = {}
        self._pids = pids
        self._on_sample = on_sample

    def cpu_percent(self, pid: int | None) -> float:
        """Return the CPU a session used lately, in per cent of one core."""
        return round(self._cpu.get(pid or 0, 0.0), 1)

    async def watch(self) -> None:
        """Sample for ever."""
        before = monotonic()
        while True:
            sample = usage_of_sessions(self._pids())
            now = monotonic()
            self._smooth(sample, now - before)
            self.latest, before = sample, now
            self._on_sample(sample)
            await asyncio.sleep(SAMPLE_SECONDS)

    def _smooth(self, sample: dict[int, Usage], seconds: float) -> None:
        share = min(1.0, seconds / _SMOOTHING_SECONDS)
        smoothed = {}
        for pid, usage in sample.items():
            last = self.latest.get(pid)
            if last is None or seconds <= 0:
                smoothed[pid] = self._cpu.get(pid, 0.0)
                continue
            percent = max(0.0, usage.cpu_seconds - last.cpu_seconds) / seconds * 100
            smoothed[pid] = self._cpu.get(pid, percent) * (1 - share) + percent * share
        self._cpu = smoothed
