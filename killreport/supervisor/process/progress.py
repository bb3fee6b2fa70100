"""Whether a process gets on, however slowly: what tells a machine that is busy from a process that stands still.

A second counts against a limit only where the process neither used a processor nor waited for one or for the disk. So
a limit of 30 s means the same on an idle machine and on one with a tenth of a core.
"""

from __future__ import annotations

import contextlib
from dataclasses import dataclass
from pathlib import Path

LOOK_SECONDS = 0.5
# Who has used this much more CPU than its limit, and is not there yet, will not be.
MAX_WORK_FACTOR = 10
# Of the time between two looks, what makes it one in which the process got on: polling for something is less.
_BUSY_SHARE = 0.1
# States of a thread that waits for a processor or for the disk. Source: proc_pid_stat(5).
_GETS_ON = (b"R", b"D")
# From here on it is worth telling whoever waits that the machine is busy.
_TOLD_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class _Threads:
    """Of all threads of a process, in seconds since each began. is_active: one would go on if it were let."""

    worked: float = 0.0
    waited: float = 0.0
    is_active: bool = False


class ProcessProgress:
    """Watches one process from now on. idle_seconds: in which it did not get on.

    queued_seconds: in which it waited for a processor. is_starved: whether it did so since the last look but one.
    """

    def __init__(self, pid: int) -> None:
        self.idle_seconds = 0.0
        self.passed_seconds = 0.0
        self.worked_seconds = 0.0
        self.queued_seconds = 0.0
        self.is_starved = False
        self._pid = pid
        self._last = _threads_of(pid)
        self._words = ""

    def look(self, passed_seconds: float, words: str = "") -> None:
        """Look again. passed_seconds: since the last time. words: what it says of itself; new ones are progress."""
        now, last = _threads_of(self._pid), self._last
        worked, queued = max(0.0, now.worked - last.worked), max(0.0, now.waited - last.waited)
        self.is_starved = queued > worked and queued >= passed_seconds * _BUSY_SHARE
        if words != self._words:
            self.idle_seconds = 0.0
        elif not now.is_active and worked + queued < passed_seconds * _BUSY_SHARE:
            self.idle_seconds += passed_seconds
        self.passed_seconds += passed_seconds
        self.worked_seconds += worked
        self.queued_seconds += queued
        self._last, self._words = now, words

    def is_over(self, limit_seconds: float) -> bool:
        """Tell whether it stood still for longer than the limit, or worked for a multiple of it."""
        return self.idle_seconds > limit_seconds or self.worked_seconds > limit_seconds * MAX_WORK_FACTOR

    def __str__(self) -> str:
        """Return what takes the time, for who waits."""
        so_far = f"{self.passed_seconds:.0f} s so far"
        return f"{so_far}, {self.complaint}" if self.complaint else so_far

    @property
    def complaint(self) -> str:
        """Return that the machine is busy, where most of the time goes into waiting for a processor; else nothing."""
        if self.queued_seconds < max(_TOLD_SECONDS, self.worked_seconds, self.passed_seconds / 2):
            return ""
        return "most of them waiting for a processor: the machine is busy"


def _threads_of(pid: int) -> _Threads:
    """Return nothing where the process has ended, or the kernel does not tell."""
    worked = waited = 0
    is_active = False
    with contextlib.suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            # One that ends meanwhile says nothing of the others.
            with contextlib.suppress(OSError, ValueError, IndexError):
                stat = (task / "stat").read_bytes()
                is_active |= stat[stat.rindex(b")") + 2 :][:1] in _GETS_ON
                # Nanoseconds on a processor, and waiting for one. Source: Documentation/scheduler/sched-stats.rst
                ran, queued = (task / "schedstat").read_bytes().split()[:2]
                worked, waited = worked + int(ran), waited + int(queued)
    return _Threads(worked / 1e9, waited / 1e9, is_active)
