"""From a process's pipe to its log: whole lines, each with its time, none lost or twice though we are killed.

The pipe is looked at without taking anything out (tee), the lines are written, and only then taken out. A journal says
how far that got: a supervisor that finds a step half done undoes what was written, or takes out what was.

While the log takes nothing, as on a full disk, lines wait in the pipe. Who writes there must never have to wait for a
disk: of a pipe that fills up the oldest are dropped, and counted in the log as soon as it takes lines again.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import errno
import fcntl
import json
import os
import zlib
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import structlog

from killreport.supervisor.logs.journal import WRITING, WRITTEN, PumpJournal
from killreport.supervisor.logs.stamped_log import StampedLog
from killreport.supervisor.process.identity import identity_of, identity_of_open

# Of 64 MB of pipes that Linux grants a user without rights, forty of these take a third. Source: pipe(7).
PIPE_BYTES = 1 << 19
_SPLICE_F_NONBLOCK = 2
# A line without an end yet is looked at again this much later; a disk that is full, after the second.
PARTIAL_PAUSE_SECONDS = 0.05
TROUBLE_PAUSE_SECONDS = 1.0
log = structlog.get_logger()
_LIBC = ctypes.CDLL(None, use_errno=True)


class Scratch:
    """The pipe that looking into another one needs; one for all pumps, empty between two looks."""

    def __init__(self) -> None:
        self.outlet, self.inlet = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        _enlarge(self.inlet)

    def close(self) -> None:
        """Give it back."""
        os.close(self.outlet)
        os.close(self.inlet)


class Pump:
    """Moves what arrives in the pipe to the log while the loop runs. The pipe is made where it is missing.

    on_lines: told of what is in the log now.
    """

    def __init__(
        self, pipe: Path, log: StampedLog, scratch: Scratch, on_lines: Callable[[bytes], None] = lambda _lines: None
    ) -> None:
        self._on_lines = on_lines
        self._path = pipe
        self._log = log
        self._scratch = scratch
        with contextlib.suppress(FileExistsError):
            os.mkfifo(pipe, 0o600)
        self._pipe = os.open(pipe, os.O_RDWR | os.O_NONBLOCK | os.O_CLOEXEC)
        _enlarge(self._pipe)
        self._capacity = fcntl.fcntl(self._pipe, fcntl.F_GETPIPE_SZ)
        self._journal = PumpJournal(pipe.with_suffix(f"{pipe.suffix}.journal"))
        self._is_recovered = False
        self.dropped = 0
        self._timer: asyncio.TimerHandle | None = None
        asyncio.get_running_loop().add_reader(self._pipe, self._on_readable)

    @property
    def is_in_place(self) -> bool:
        """Tell whether the next process would write to this pipe."""
        return identity_of(self._path) == identity_of_open(self._pipe)

    def drain(self) -> None:
        """Move all that is in the pipe now, an unfinished last line too."""
        with contextlib.suppress(OSError):
            while self._step(take_partial=True):
                pass

    def close(self) -> None:
        """Stop; what comes later waits in the pipe."""
        self._pause_reading()
        if self._timer is not None:
            self._timer.cancel()
        self._journal.close()
        os.close(self._pipe)
        self._log.close()

    def _on_readable(self) -> None:
        try:
            moved, pause = self._step(take_partial=False), PARTIAL_PAUSE_SECONDS
        except OSError as error:
            moved = False
            pause = PARTIAL_PAUSE_SECONDS if self._make_room(error) else TROUBLE_PAUSE_SECONDS
        if not moved:
            self._pause_reading()
            loop = asyncio.get_running_loop()
            self._timer = loop.call_later(pause, loop.add_reader, self._pipe, self._on_readable)

    def _pause_reading(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pipe)

    def _step(self, *, take_partial: bool) -> bool:
        """Move what whole lines there are; returns whether there were any. Raises OSError; nothing is moved then."""
        self._recover()
        content = self._peek()
        length = content.rfind(b"\n") + 1
        if not length and (take_partial or len(content) >= self._capacity // 2):
            length = len(content)  # longer than any line should be: in pieces
        if not length:
            return False
        lines = content[:length]
        self._log.prepare()
        self._journal.begin(self._log.size, length, zlib.crc32(lines))
        try:
            self._log.append(self._told_dropped() + lines, datetime.now(UTC))
        except OSError:
            try:
                self._log.cut(self._journal.read().offset)
            finally:
                self._journal.finish()
            raise
        self.dropped = 0
        self._journal.written()
        self._take(length)
        self._journal.finish()
        self._on_lines(lines)
        return True

    def _make_room(self, error: OSError) -> bool:
        """Drop the older half of what is in a pipe that is filling up; returns whether it was."""
        try:
            content = self._peek()
            if len(content) < self._capacity // 3:
                return False
            half = content[: len(content) // 2]
            length = half.rfind(b"\n") + 1 or len(half)
            self._take(length)
        except OSError:
            return False
        if not self.dropped:
            log.warning("log_not_written", path=str(self._log.path), reason=error.strerror or str(error))
        self.dropped += content[:length].count(b"\n")
        return True

    def _told_dropped(self) -> bytes:
        if not self.dropped:
            return b""
        return json.dumps({"event": "log_lines_dropped", "level": "warning", "count": self.dropped}).encode() + b"\n"

    def _recover(self) -> None:
        """Make good what a supervisor before us left half done. Raises OSError; then it is still to be done."""
        if self._is_recovered:
            return
        step = self._journal.read()
        if step.phase == WRITING:
            self._log.cut(step.offset)
        elif step.phase == WRITTEN:
            content = self._peek()[: step.length]
            if len(content) == step.length and zlib.crc32(content) == step.checksum:
                self._take(step.length)
        self._journal.finish()
        self._is_recovered = True

    def _peek(self) -> bytes:
        """Return what is in the pipe, and leave it there."""
        parts = []
        count = _LIBC.tee(self._pipe, self._scratch.inlet, self._capacity, _SPLICE_F_NONBLOCK)
        if count < 0:
            if ctypes.get_errno() == errno.EAGAIN:
                return b""
            raise OSError(ctypes.get_errno(), "tee")
        while count > 0:
            parts.append(os.read(self._scratch.outlet, count))
            count -= len(parts[-1])
        return b"".join(parts)

    def _take(self, length: int) -> None:
        # One read takes all of it: the pipe holds it, and nobody else reads there.
        taken = len(os.read(self._pipe, length))
        while taken < length:
            taken += len(os.read(self._pipe, length - taken))


def _enlarge(pipe: int) -> None:
    with contextlib.suppress(OSError):  # beyond what a user may have: smaller pipes work too
        fcntl.fcntl(pipe, fcntl.F_SETPIPE_SZ, PIPE_BYTES)
