"""The log as a signal: wait for a line instead of for time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

PATIENCE_SECONDS = 60
Line = MutableMapping[str, Any]


class Lines:
    """Every line logged since `watch_log` began."""

    def __init__(self) -> None:
        self.lines: list[Line] = []
        self._grown = asyncio.Event()

    def __call__(self, _logger: object, _method: str, line: Line) -> Line:
        self.lines.append(line)
        self._grown.set()
        raise structlog.DropEvent

    def of(self, event: str) -> list[Line]:
        return [line for line in self.lines if line["event"] == event]

    async def wait_for(self, event: str, count: int = 1) -> list[Line]:
        """Return the lines of an event once there are so many."""
        await self.wait_until(lambda: len(self.of(event)) >= count)
        return self.of(event)

    async def wait_until(self, is_so: Callable[[], bool]) -> None:
        """Wait until something holds, looking whenever a line was logged. Fails after a minute."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():
                self._grown.clear()
                await self._grown.wait()


@contextmanager
def watch_log() -> Iterator[Lines]:
    """Lend what is logged during the block."""
    before = structlog.get_config()["processors"]
    lines = Lines()
    structlog.configure(processors=[lines])
    try:
        yield lines
    finally:
        structlog.configure(processors=before)
