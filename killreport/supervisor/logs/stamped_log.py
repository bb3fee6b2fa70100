"""A log file of lines that begin with their time, kept to a size by a number of predecessors."""

from __future__ import annotations

import contextlib
import os
from datetime import datetime
from pathlib import Path

from killreport.clock import log_stamp

MAX_BYTES = 10_000_000
KEPT_FILES = 5


class StampedLog:
    """`NAME.log`, before it `NAME.log.1`, and so on. A file that somebody moved away or deleted is made anew.

    One that cannot be opened is tried again with the next lines.
    """

    def __init__(self, path: Path, largest_bytes: int = MAX_BYTES, kept_files: int = KEPT_FILES) -> None:
        self.path = path
        self.size = 0
        self._largest_bytes = largest_bytes
        self._kept_files = kept_files
        self._file: int | None = None
        with contextlib.suppress(OSError):
            self._open()  # there for whoever wants to look into it before there is a line

    def prepare(self) -> None:
        """Make the file fit to be written to: ours still, and not full. Raises OSError."""
        file = self._file
        if file is None or not self._is_ours(file):
            self._open()
        if self.size >= self._largest_bytes:
            self._rotate()

    def append(self, lines: bytes, now: datetime) -> None:
        """Write the lines, each with the time before it. now: in UTC. Raises OSError, perhaps with a part written."""
        stamp = f"{log_stamp(now)} ".encode()
        ended = lines.endswith(b"\n")
        body = lines[:-1] if ended else lines
        text = memoryview(stamp + body.replace(b"\n", b"\n" + stamp) + b"\n")
        if self._file is None:
            self._open()
        assert self._file is not None
        self.size += len(text)
        while text:
            text = text[os.write(self._file, text) :]

    def cut(self, size: int) -> None:
        """Undo what was written beyond this size. Raises OSError."""
        if self._file is None:
            self._open()
        assert self._file is not None
        if self.size > size:
            os.ftruncate(self._file, size)
        self.size = os.fstat(self._file).st_size

    def close(self) -> None:
        """Close the file."""
        # Forgotten first: a number that is closed is soon another file's, and must never be closed again.
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def _is_ours(self, file: int) -> bool:
        """Tell whether the path leads to the open file; its size is looked at, for `flush` may have emptied it."""
        try:
            status = self.path.stat()
        except OSError:
            return False
        own = os.fstat(file)
        self.size = own.st_size
        return (status.st_ino, status.st_dev) == (own.st_ino, own.st_dev)

    def _open(self) -> None:
        """Open the path anew. Raises OSError; then what was open before is so still."""
        file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self.close()
        self._file = file
        self.size = os.fstat(file).st_size

    def _rotate(self) -> None:
        # A file that cannot be moved is written on: a log that is too long is better than none.
        with contextlib.suppress(OSError):
            for number in reversed(range(self._kept_files)):
                source = self.path if number == 0 else self.path.with_name(f"{self.path.name}.{number}")
                if source.exists():
                    source.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self._open()
