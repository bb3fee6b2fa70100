"""What the supervisor remembers, on the disk where the disk takes it, and until then here.

A full disk must keep nobody from stopping a process: what could not be written is tried again by `retry`.
"""

from __future__ import annotations

from pathlib import Path

import structlog

from killreport.files import write_whole

log = structlog.get_logger()


class StateFiles:
    """Small files, each written as a whole; there are as many as processes, so what waits is bounded."""

    def __init__(self) -> None:
        self._waiting: dict[Path, bytes] = {}

    @property
    def waiting(self) -> list[Path]:
        """Return the files whose newest content is not on the disk yet."""
        return list(self._waiting)

    def read(self, path: Path) -> bytes:
        """Return what was written last, on the disk or not. Raises FileNotFoundError, or OSError."""
        return self._waiting[path] if path in self._waiting else path.read_bytes()

    def write(self, path: Path, content: bytes) -> None:
        """Have the file hold this: now, or as soon as the disk takes it. Raises nothing."""
        was_waiting = path in self._waiting
        self._waiting[path] = content
        try:
            write_whole(path, content)
        except OSError as error:
            if not was_waiting:
                log.error("state_not_written", path=str(path), reason=error.strerror or str(error))
        else:
            del self._waiting[path]

    def retry(self) -> None:
        """Try once more to write what waits."""
        for path, content in list(self._waiting.items()):
            self.write(path, content)
            if path not in self._waiting:
                log.info("state_written", path=str(path))
