"""Reading a log with its predecessors: forwards, backwards, and on as it grows, whatever its size and however it turns.

Files stay open while they are read, so what is moved or deleted meanwhile is read to its end all the same, and nobody
takes a new file for an old one because it has got its number. Nothing is held but a block of each.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from killreport.supervisor.logs.stamped_log import KEPT_FILES

_BLOCK_BYTES = 1 << 16
# By its beginning, which is a time to the millisecond, a file is known again after it was cut or emptied.
_HEAD_BYTES = 100


@dataclass(frozen=True, slots=True)
class LinePosition:
    """Where a line begins. file: counted from the oldest that was there when the reading began."""

    file: int
    offset: int


class LogReader:
    """One log. What is there at first is read with `backwards` and `forwards`, what comes later with `news`."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._files = _open_chain(path)
        self._head = b""

    @property
    def end(self) -> LinePosition:
        """Return where what is there at first ends."""
        return LinePosition(len(self._files), 0)

    def backwards(self) -> Iterator[tuple[bytes, LinePosition]]:
        """Return the lines that are there, the newest first, each with its place."""
        for number in reversed(range(len(self._files))):
            for line, offset in _lines_backwards(self._files[number]):
                yield line, LinePosition(number, offset)

    def place_of(self, stamp: bytes) -> LinePosition:
        """Return a place before every line that begins with this stamp or a later one: the beginning of a file."""
        for number in reversed(range(len(self._files))):
            first = os.pread(self._files[number].fileno(), _HEAD_BYTES, 0)
            if first and first < stamp:
                return LinePosition(number, 0)
        return LinePosition(0, 0)

    def forwards(self, place: LinePosition) -> Iterator[bytes]:
        """Return the whole lines from a place on; `news` goes on after them."""
        for number in range(place.file, len(self._files)):
            self._files[number].seek(place.offset if number == place.file else 0)
            yield from _whole_lines(self._files[number])
        if place == self.end:
            self._skip_to_end()

    def news(self) -> Iterator[bytes]:
        """Return the whole lines that came since."""
        # Looked at before the last lines are read: what is moved away is not written to any more.
        has_turned = self._has_turned()
        if self._files:
            self._follow_cut(self._files[-1])
            yield from _whole_lines(self._files[-1])
        if has_turned:
            for file in self._turn():
                yield from _whole_lines(file)

    def close(self) -> None:
        """Close what is open."""
        for file in self._files:
            file.close()

    def _skip_to_end(self) -> None:
        """Stand after the last whole line."""
        if self._files:
            last = next(_lines_backwards(self._files[-1]), (b"", 0))
            self._files[-1].seek(last[1] + len(last[0]))

    def _has_turned(self) -> bool:
        try:
            status = self._path.stat()
        except OSError:
            return False  # it is being moved, or there is none
        return not self._files or not os.path.samestat(status, os.fstat(self._files[-1].fileno()))

    def _turn(self) -> list[BinaryIO]:
        """Have the files open that are there now, and return those that were not, the oldest first."""
        found = _open_chain(self._path)
        kept: list[BinaryIO] = []
        fresh: list[BinaryIO] = []
        for file in found:
            known = next((other for other in self._files if os.path.sameopenfile(other.fileno(), file.fileno())), None)
            (fresh if known is None else kept).append(file if known is None else known)
            if known is not None:
                file.close()
        for file in self._files:
            if file not in kept:
                file.close()
        self._files, self._head = [*kept, *fresh], b""
        return fresh

    def _follow_cut(self, file: BinaryIO) -> None:
        """Go on where a file ends that has become shorter: emptied, or with its last lines taken back."""
        head = os.pread(file.fileno(), _HEAD_BYTES, 0)
        size = os.fstat(file.fileno()).st_size
        if size < file.tell():
            file.seek(size if head and self._head.startswith(head) else 0)
        self._head = head


def _open_chain(path: Path) -> list[BinaryIO]:
    """Open a log and its predecessors, the oldest first.

    From the newest on, as they move: one that gets the next number meanwhile is met once more, and none is missed.
    """
    found: list[BinaryIO] = []
    for number in range(KEPT_FILES + 2):
        with contextlib.suppress(OSError):
            file = (path.with_name(f"{path.name}.{number}") if number else path).open("rb")
            if any(os.path.sameopenfile(other.fileno(), file.fileno()) for other in found):
                file.close()
            else:
                found.append(file)
    return found[::-1]


def _whole_lines(file: BinaryIO) -> Iterator[bytes]:
    """Return the lines up to the end; one that has no end yet is left for later."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            file.seek(-len(line), os.SEEK_CUR)
            return
        yield line


def _lines_backwards(file: BinaryIO) -> Iterator[tuple[bytes, int]]:
    """Return the whole lines of a file, the last first, each with its offset."""
    start, rest = os.fstat(file.fileno()).st_size, b""
    is_whole = False  # what is after the last end of a line is none
    while start:
        size = min(_BLOCK_BYTES, start)
        start -= size
        rest = os.pread(file.fileno(), size, start) + rest
        while (cut := rest.rfind(b"\n", 0, len(rest) - 1 if is_whole else len(rest))) >= 0:
            if is_whole:
                yield rest[cut + 1 :], start + cut + 1
            rest, is_whole = rest[: cut + 1], True
    if rest and is_whole:
        yield rest, 0
