"""A slot: a file whose lock a process holds for as long as it lives.

The child inherits the locked descriptor through exec and the parent closes its copy, so the kernel itself knows whether
the slot is alive: no file that a crash leaves behind can claim it, and no other process can get the lock by bearing the
same number. The child writes its pid there before it becomes the program; READY is marked by the supervisor.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path

from killreport.files import try_lock
from killreport.supervisor.process.identity import Identity, identity_of

# Layout: a line of pid and start, padded to where the mark stands.
_MARK_OFFSET = 64
_MARK = b"READY"
_WATCHDOG_OFFSET = 72
_WATCHDOG_MARK = b"PINGS"
# How a job ended, said by itself: whoever is not its parent learns it from nobody else.
_END_OFFSET = 80
_END_MARK = b"ENDED "
_EMPTY = bytes(96)


@dataclass(frozen=True, slots=True)
class Occupant:
    """Who holds a slot. started_at: in seconds since 1970. pings: whether its loop was ever heard of."""

    pid: int
    started_at: float
    is_ready: bool
    pings: bool


class ProcessSlot:
    """One slot file. Its methods take and give descriptors; whoever got one closes it."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def try_lock(self) -> int | None:
        """Return a descriptor that holds the empty slot, None where somebody lives in it."""
        descriptor = try_lock(self.path)
        if descriptor is None:
            return None
        try:
            # Overwritten, not cut: the room it has on the disk is there for who signs in when the disk is full.
            os.pwrite(descriptor, _EMPTY, 0)
        except OSError:
            os.close(descriptor)
            raise
        return descriptor

    def reserve(self) -> None:
        """Take the room on the disk that whoever lives here needs, so that somebody can when the disk is full."""
        with contextlib.suppress(OSError):
            if self.path.exists() and self.path.stat().st_size >= len(_EMPTY):
                return  # what is written there may still be wanted
            descriptor = self.try_lock()
            if descriptor is not None:
                os.close(descriptor)

    def end_status(self) -> int | None:
        """Return with what status the last occupant said it ends; None where it has not."""
        try:
            content = self.path.read_bytes()[_END_OFFSET:].rstrip(b"\0")
        except OSError:
            return None
        word = content.removeprefix(_END_MARK)
        return int(word) if content.startswith(_END_MARK) and word.isdigit() else None

    def is_free(self) -> bool:
        """Tell whether nobody lives in it."""
        try:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:
            return True
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        finally:
            os.close(descriptor)
        return True

    def occupant(self) -> Occupant | None:
        """Return who wrote itself into the slot; None where nobody has yet."""
        try:
            content = self.path.read_bytes()
        except FileNotFoundError:
            return None
        words = content[:_MARK_OFFSET].rstrip(b"\0").split()
        if len(words) != 2:
            return None
        return Occupant(
            int(words[0]),
            float(words[1]),
            content[_MARK_OFFSET:].startswith(_MARK),
            content[_WATCHDOG_OFFSET:].startswith(_WATCHDOG_MARK),
        )

    def mark_ready(self) -> None:
        """Note that the occupant is ready, for the supervisor after this one."""
        self._mark(_MARK_OFFSET, _MARK)

    def mark_pings(self) -> None:
        """Note that the occupant's loop is heard of, so that the next supervisor expects it too."""
        self._mark(_WATCHDOG_OFFSET, _WATCHDOG_MARK)

    def _mark(self, offset: int, mark: bytes) -> None:
        # Unmarked, the next supervisor asks anew; that a disk takes nothing is no reason to think less of the process.
        with contextlib.suppress(OSError), self.path.open("r+b") as file:
            file.seek(offset)
            file.write(mark)

    def holders(self) -> list[int]:
        """Return the pids of all processes that have the file open: the occupant and what it forked."""
        file, own = identity_of(self.path), os.getpid()
        if file is None:
            return []
        pids = (int(folder.name) for folder in Path("/proc").iterdir() if folder.name.isdigit())
        return [pid for pid in pids if pid != own and _has_open(pid, self.path.name, file)]


def _has_open(pid: int, name: str, file: Identity) -> bool:
    """Tell whether a process has this file open; not where it ended or is not ours to look into.

    By device and inode: the kernel names the file by another path where a folder above is a symbolic link.
    """
    with contextlib.suppress(OSError):
        for entry in Path(f"/proc/{pid}/fd").iterdir():
            # One that is closed meanwhile, as connections of a busy service are, says nothing of the others.
            with contextlib.suppress(OSError):
                # The name first: asking after a file on a disk that does not answer would wait for it.
                if entry.readlink().name.startswith(name) and identity_of(entry) == file:
                    return True
    return False


def sign_in(descriptor: int) -> None:
    """Write the calling process into the slot it holds; safe between fork and exec."""
    os.pwrite(descriptor, b"%d %.3f" % (os.getpid(), time.time()), 0)


def sign_out(slots: Path, status: int) -> None:
    """Write into the slot of this folder that this process holds, if it holds one, that it ends with this status.

    For a job: its parent may be gone, and then nobody could tell a run that is whole from one that was broken off.
    """
    with contextlib.suppress(OSError):
        for entry in Path("/proc/self/fd").iterdir():
            with contextlib.suppress(OSError):
                if entry.readlink().parent == slots:
                    os.pwrite(int(entry.name), _END_MARK + b"%d" % status, _END_OFFSET)
                    return
