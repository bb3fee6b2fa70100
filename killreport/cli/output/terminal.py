"""A terminal that may stand still, as after Ctrl-S: what is printed is queued, and nobody who prints waits for it."""

from __future__ import annotations

import queue
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, TextIO, cast

from rich.console import Console

# What may wait to be shown, in pieces of a line or a few; beyond that it is dropped and counted.
MAX_WAITING = 2000
# How long the end of a command waits for a terminal that takes nothing.
FAREWELL_SECONDS = 2.0


class Terminal:
    """Writes to a stream from a thread of its own. dropped: lines that found no place since the last that did."""

    def __init__(self, stream: TextIO, max_waiting: int = MAX_WAITING) -> None:
        self.dropped = 0
        self._stream = stream
        self._waiting: queue.Queue[str | None] = queue.Queue(max_waiting)
        self._thread = threading.Thread(target=self._show, name="terminal", daemon=True)
        self._thread.start()

    def write(self, text: str) -> int:
        """Have it shown, now or later, or drop it; never waits, never fails."""
        try:
            self._tell_dropped()
            self._waiting.put_nowait(text)
        except queue.Full:
            self.dropped += text.count("\n")
        return len(text)

    def flush(self) -> None:
        """Do nothing: what was written is on its way."""

    def isatty(self) -> bool:
        """Tell whether a person sees it."""
        return self._stream.isatty()

    def fileno(self) -> int:
        """Return the descriptor of what it is shown on. Raises OSError where it has none."""
        return self._stream.fileno()

    @property
    def encoding(self) -> str:
        """Return how characters are written there."""
        return self._stream.encoding

    def console(self) -> Console:
        """Return a console that prints here, without colours where no person sees it."""
        return Console(file=cast(IO[str], self), highlight=False, soft_wrap=True)

    def finish(self, patience_seconds: float = FAREWELL_SECONDS) -> None:
        """Return when everything was shown, or when the terminal took nothing for this long."""
        try:
            self._tell_dropped(patience_seconds)
            self._waiting.put(None, timeout=patience_seconds)
        except queue.Full:
            return
        self._thread.join(patience_seconds)

    def _tell_dropped(self, patience_seconds: float | None = None) -> None:
        """Raises Full where there is no place for it, at once or after so long."""
        if self.dropped:
            notice = f"  … {self.dropped} lines are not shown: this terminal stood still.\n"
            self._waiting.put(notice, block=patience_seconds is not None, timeout=patience_seconds)
            self.dropped = 0

    def _show(self) -> None:
        while (text := self._waiting.get()) is not None:
            try:
                self._stream.write(text)
                self._stream.flush()
            except (OSError, ValueError):
                continue  # it was closed: whoever prints goes on


@contextmanager
def patient_console() -> Iterator[Console]:
    """Lend a console on stdout that nobody waits for; at the end what it holds is shown, if the terminal takes it."""
    terminal = Terminal(sys.stdout)
    try:
        yield terminal.console()
    finally:
        terminal.finish()
