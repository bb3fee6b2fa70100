"""A log file of lines that begin with their time, kept to a size by a number of predecessors."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

LARGEST_BYTES = 10_000_000
KEPT_FILES = 5


class StampedLog:
    """`NAME.log`, before it `NAME.log.1`, and so on. A file that somebody moved away or deleted is made anew."""

    def __init__(self, path: Path, largest_bytes: int = LARGEST_BYTES, kept_files: int = KEPT_FILES) -> None:
        self.path = path
        self.size = 0
        self._largest_bytes = largest_bytes
        self._kept_files = kept_files
        self._open()

    def prepare(self) -> None:
        """Make the file fit to be written to: ours still, and not full."""
        try:
            status = self.path.stat()
            is_ours = status.st_ino == os.fstat(self._file).st_ino
        except FileNotFoundError:
            is_ours = False
        if is_ours:
            self.size = status.st_size  # `flush` may have emptied it
        else:
            self._reopen()
        if self.size >= self._largest_bytes:
            self._rotate()

    def append(self, lines: bytes, now: datetime) -> None:
        """Write the lines, each with the time before it. now: in UTC. Raises OSError, perhaps with a part written."""
        stamp = f"{now:%Y-%m-%dT%H:%M:%S}.{now.microsecond // 1000:03}Z ".encode()
        ended = lines.endswith(b"\n")
        body = lines[:-1] if ended else lines
        text = memoryview(stamp + body.replace(b"\n", b"\n" + stamp) + b"\n")
        self.size += len(text)
        while text:
            text = text[os.write(self._file, text) :]

    def cut(self, size: int) -> None:
        """Undo what was written beyond this size."""
        if os.fstat(self._file).st_size > size:
            os.ftruncate(self._file, size)
        self.size = os.fstat(self._file).st_size

    def close(self) -> None:
        """Close the file."""
        os.close(self._file)

    def _open(self) -> None:
        self._file = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o640)
        self.size = os.fstat(self._file).st_size

    def _reopen(self) -> None:
        self.close()
        self._open()

    def _rotate(self) -> None:
        for number in reversed(range(self._kept_files)):
            source = self.path if number == 0 else self.path.with_name(f"{self.path.name}.{number}")
            if source.exists():
                source.replace(self.path.with_name(f"{self.path.name}.{number + 1}"))
        self._reopen()
