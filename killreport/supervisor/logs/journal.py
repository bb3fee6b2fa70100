"""Six numbers that outlive a kill -9: what the pump was in the middle of."""

from __future__ import annotations

import mmap
import os
import struct
from dataclasses import dataclass
from pathlib import Path

_LAYOUT = struct.Struct("<QQQQ")
IDLE, WRITING, WRITTEN = 0, 1, 2


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the pump. offset: of the log before it. length, checksum: of what it moves, as in the pipe."""

    phase: int
    offset: int
    length: int
    checksum: int


class PumpJournal:
    """A mapped file: a store into it is kept by the kernel, whatever happens to this process afterwards."""

    def __init__(self, path: Path) -> None:
        try:
            self._map = _mapped(path)
        except OSError:
            # A disk that is full: what a crash in the middle of a step leaves is then not undone.
            self._map = mmap.mmap(-1, _LAYOUT.size)

    def read(self) -> Step:
        """Return the step that was begun last."""
        return Step(*_LAYOUT.unpack(self._map[: _LAYOUT.size]))

    def begin(self, offset: int, length: int, checksum: int) -> None:
        """Note a step before its first byte is written. The phase is stored last."""
        self._map[8 : _LAYOUT.size] = _LAYOUT.pack(0, offset, length, checksum)[8:]
        self._map[:8] = struct.pack("<Q", WRITING)

    def written(self) -> None:
        """Note that the log has the whole step."""
        self._map[:8] = struct.pack("<Q", WRITTEN)

    def finish(self) -> None:
        """Note that the pipe has nothing of the step any more."""
        self._map[:8] = struct.pack("<Q", IDLE)

    def close(self) -> None:
        """Give the map back."""
        self._map.close()


def _mapped(path: Path) -> mmap.mmap:
    """Return the file as memory. Raises OSError."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        # Written once, so that its room on the disk is taken: a store into a hole of a full disk ends the process.
        os.pwrite(descriptor, os.pread(descriptor, _LAYOUT.size, 0).ljust(_LAYOUT.size, b"\0"), 0)
        return mmap.mmap(descriptor, _LAYOUT.size)
    finally:
        os.close(descriptor)
