"""What runs where no supervisor does: found by the slots it holds, deleted or not, and ended."""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from killreport.clock import monotonic
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.slot import ProcessSlot

_LOOK_SECONDS = 0.05


def lock_holders(folder: FleetFolder) -> list[int]:
    """Return the supervisors of the folder, one that does not answer too."""
    return ProcessSlot(folder.lock).holders()


def slot_holders(folder: FleetFolder) -> dict[int, str]:
    """Return what lives in the folder's slots, with the name of the process it belongs to."""
    found = {pid: _name_of(path) for path in folder.slots.glob("*.*.?") for pid in ProcessSlot(path).holders()}
    for process in Path("/proc").iterdir():
        if process.name.isdigit() and (name := _deleted_slot(process, folder.slots)) is not None:
            found.setdefault(int(process.name), name)
    return found


def end_leftovers(
    folder: FleetFolder, patience_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> list[str]:
    """End what lives in the slots: SIGTERM, and after the patience SIGKILL. Return the names of what did."""
    names = set()
    deadline, number = monotonic() + patience_seconds, signal.SIGTERM
    told: set[tuple[int, signal.Signals]] = set()
    while holders := slot_holders(folder):
        if monotonic() >= deadline:
            number = signal.SIGKILL
        for pid, name in holders.items():
            names.add(name)
            if (pid, number) not in told:
                told.add((pid, number))
                _send(pid, number)
        sleep(_LOOK_SECONDS)
        if number is signal.SIGKILL and monotonic() >= deadline + patience_seconds:
            break  # what not even that ends waits in the kernel
    return sorted(names)


def _send(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        # A process and what it forked is a group; what made itself another is told by itself.
        if os.getpgid(pid) == pid:
            os.killpg(pid, number)
        else:
            os.kill(pid, number)


def _deleted_slot(process: Path, slots: Path) -> str | None:
    """Return whose deleted slot a process of ours holds; None for every other process."""
    with contextlib.suppress(OSError):
        if process.stat().st_uid != os.geteuid():
            return None
        for entry in (process / "fd").iterdir():
            with contextlib.suppress(OSError):
                file = entry.readlink()
                if file.parent == slots and file.name.endswith(" (deleted)"):
                    return _name_of(file)
    return None


def _name_of(slot: Path) -> str:
    return slot.name.rsplit(".", 2)[0]
