"""Logging set-up: static event names with ids and numbers; JSON in production, text in a terminal.

Commands log to stderr, for what they print is their answer. A process of the fleet has two logs, as its operator
expects: what went well to stdout, warnings and errors to stderr.

Neither may stop the work. A line that a full disk, a pipe that nobody reads or a halted terminal does not take is
dropped, counted, and told of when lines are taken again.
"""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import threading
from typing import Literal, Protocol

import structlog

from killreport.terminal import in_lines

LogFormat = Literal["auto", "json", "text"]
# How long a line waits for a reader that is behind; the next ones then wait no more until one is taken again.
PATIENCE_MILLISECONDS = 250
# A pipe that can be written to takes as much without making anybody wait. Source: pipe(7), PIPE_BUF.
_PIECE_BYTES = select.PIPE_BUF


class TextStream(Protocol):
    """What a line can be written to, as `sys.stderr`."""

    def write(self, text: str, /) -> int:
        """Take text."""

    def flush(self) -> None:
        """Have it out."""

    def fileno(self) -> int:
        """Return its descriptor. Raises OSError or ValueError where it has none."""


class LossyStream:
    """Writes to a stream, never fails, and never waits for long. dropped: lines since the last that was taken."""

    def __init__(self, stream: TextStream) -> None:
        self.dropped = 0
        self._is_cut = False  # whether the last line was taken in part
        self._stream = stream
        self._lock = threading.Lock()
        try:
            self._descriptor: int | None = stream.fileno()
        except (OSError, ValueError):  # a stand-in, as in tests
            self._descriptor = None

    def write(self, text: str) -> int:
        """Write whole lines, or drop and count them."""
        with self._lock:
            notice = self._notice() if self.dropped else ""
            if self._take(notice + text):
                self.dropped = 0
            else:
                self.dropped += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Do nothing: what was written is out."""

    def _notice(self) -> str:
        told = json.dumps({"event": "log_lines_dropped", "level": "warning", "count": self.dropped}) + "\n"
        return "\n" + told if self._is_cut else told

    def _take(self, text: str) -> bool:
        try:
            if self._descriptor is None:
                self._stream.write(text)
                self._stream.flush()
                return True
            left = memoryview(text.encode("utf-8", "backslashreplace"))
            while left and self._is_writable(self._descriptor):
                left = left[os.write(self._descriptor, left[:_PIECE_BYTES]) :]
                self._is_cut = bool(left)
        except (OSError, ValueError):
            return False
        return not left

    def _is_writable(self, descriptor: int) -> bool:
        poll = select.poll()
        poll.register(descriptor, select.POLLOUT)
        return bool(poll.poll(0 if self.dropped else PATIENCE_MILLISECONDS))


class LevelLogger:
    """What structlog writes through: one stream for what is as it should be, one for what is not."""

    def __init__(self, out: LossyStream, error: LossyStream) -> None:
        self._out = out
        self._error = error

    def info(self, line: str) -> None:
        """Write a line that tells of something in order."""
        self._out.write(line + "\n")

    def warning(self, line: str) -> None:
        """Write a line that tells of something that is not."""
        self._error.write(line + "\n")

    debug = msg = log = info
    warn = error = exception = err = failure = critical = fatal = warning


def configure_logging(level: str, log_format: LogFormat, process: str | None = None, *, splits: bool = False) -> None:
    """Send structlog and the standard library's loggers to stderr; `auto` is text on a terminal, else JSON.

    process: bound to every line as `process`, so that lines of several processes can share a stream.
    splits: below warnings, send lines to stdout instead. Calling it again replaces the set-up.
    """
    as_json = log_format == "json" or (log_format == "auto" and not sys.stderr.isatty())
    numeric_level = logging.getLevelNamesMapping()[level.upper()]
    renderers: list[structlog.types.Processor]
    # JSON writes out what is not shown by itself.
    renderers = [structlog.processors.JSONRenderer()]
    if not as_json:
        renderers = [_make_printable, structlog.dev.ConsoleRenderer(colors=True)]
    error = LossyStream(sys.stderr)
    logger = LevelLogger(LossyStream(sys.stdout) if splits else error, error)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            *renderers,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(numeric_level),
        logger_factory=lambda *_arguments: logger,
        cache_logger_on_first_use=False,
    )
    structlog.contextvars.clear_contextvars()
    if process is not None:
        structlog.contextvars.bind_contextvars(process=process)
    logging.basicConfig(stream=error, level=max(numeric_level, logging.WARNING), force=True)


def _make_printable(_logger: object, _method: str, line: structlog.types.EventDict) -> structlog.types.EventDict:
    """Have a terminal obey nothing of what a line tells: reasons and names are strangers'."""
    return {name: in_lines(value) if isinstance(value, str) else value for name, value in line.items()}
