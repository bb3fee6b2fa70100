"""How much memory processes hold. Linux tells; elsewhere nothing is known."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path


def proportional_megabytes(pids: Iterable[int]) -> float:
    """Return what the processes hold together in MB; what several share counts once. Those that ended count nothing."""
    return sum(_kilobytes(pid) for pid in pids) / 1024


def _kilobytes(pid: int) -> int:
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("Pss:")), 0)
