"""What processes use, from one look at /proc."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
_TICKS = os.sysconf("SC_CLK_TCK")
# Fields of /proc/PID/stat after the name in brackets, counted from 0. Source: proc_pid_stat(5).
_SESSION, _USER_TICKS, _SYSTEM_TICKS, _START_TICKS, _RSS_PAGES = 3, 11, 12, 19, 21


@dataclass(frozen=True, slots=True)
class Usage:
    """What a session uses. cpu_seconds: of all its living processes since they began."""

    memory_bytes: int
    cpu_seconds: float
    pids: tuple[int, ...]


def usage_of_sessions(sessions: Iterable[int]) -> dict[int, Usage]:
    """Return the usage of each session that has processes; what a child forked counts with it."""
    wanted = set(sessions)
    found: dict[int, list[tuple[int, int, int]]] = {}
    for folder in Path("/proc").iterdir():
        if not folder.name.isdigit():
            continue
        try:
            stat = (folder / "stat").read_bytes()
        except OSError:
            continue
        fields = stat[stat.rindex(b")") + 2 :].split()
        session = int(fields[_SESSION])
        if session in wanted and fields[0] != b"Z":
            ticks = int(fields[_USER_TICKS]) + int(fields[_SYSTEM_TICKS])
            found.setdefault(session, []).append((int(folder.name), int(fields[_RSS_PAGES]), ticks))
    return {
        session: Usage(
            memory_bytes=sum(pages for _pid, pages, _ticks in rows) * _PAGE_BYTES,
            cpu_seconds=sum(ticks for _pid, _pages, ticks in rows) / _TICKS,
            pids=tuple(pid for pid, _pages, _ticks in rows),
        )
        for session, rows in found.items()
    }


def seconds_since_start(pid: int) -> float:
    """Return for how long a process has lived, by the clock that nobody sets; 0.0 where it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_bytes()
        up_seconds = float(Path("/proc/uptime").read_bytes().split()[0])
    except OSError:
        return 0.0
    return max(0.0, up_seconds - int(stat[stat.rindex(b")") + 2 :].split()[_START_TICKS]) / _TICKS)
