"""Whoever runs a supervisor in its own process may see what happens as it happens."""

from __future__ import annotations

from typing import Protocol


class Observer(Protocol):
    """Told of it in the loop, so it must not wait."""

    def on_lines(self, process: str, stream: str, lines: bytes) -> None:
        """Take whole lines that a process wrote; they are in its log by then."""

    def on_end(self, process: str, status: int | None, pause_seconds: float | None) -> None:
        """Take the unwanted end of a process. pause_seconds: until it is started again; None: it is not."""
