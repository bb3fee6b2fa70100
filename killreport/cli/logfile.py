"""A log file that never grows beyond a size, and remembers its last lines."""

from __future__ import annotations

from pathlib import Path

LARGEST_BYTES = 5_000_000
REMEMBERED_BYTES = 8_192
SHOWN_LINES = 10


class LogFile:
    """One file and its predecessor: when the file is full it becomes NAME.1, and the old NAME.1 is gone."""

    def __init__(self, path: Path, largest_bytes: int = LARGEST_BYTES) -> None:
        self.path = path
        self._largest_bytes = largest_bytes
        self._recent = b""
        path.parent.mkdir(parents=True, exist_ok=True)
        self._size = path.stat().st_size if path.exists() else 0

    def begin(self) -> None:
        """Forget the remembered lines, and make the file: what follows is by another process, perhaps a silent one."""
        self._recent = b""
        self.path.touch()

    def write(self, chunk: bytes) -> None:
        """Append the chunk; a chunk is never split between two files."""
        if self._size and self._size + len(chunk) > self._largest_bytes:
            self.path.replace(self.path.with_name(f"{self.path.name}.1"))
            self._size = 0
        with self.path.open("ab") as file:
            file.write(chunk)
        self._size += len(chunk)
        self._recent = (self._recent + chunk)[-REMEMBERED_BYTES:]

    def last_lines(self) -> list[str]:
        """Return the end of what was written since `begin`."""
        return self._recent.decode(errors="replace").splitlines()[-SHOWN_LINES:]
