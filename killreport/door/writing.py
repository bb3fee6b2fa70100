"""Whoever does not read what was sent to them is not waited for."""

from __future__ import annotations

import asyncio

from killreport.door.bounds import Bounds


class ReadOrLeave(asyncio.Protocol):
    """Before a protocol of uvicorn's: a connection whose other side reads nothing for `write_seconds` is broken off."""

    loop: asyncio.AbstractEventLoop
    transport: asyncio.Transport
    bounds: Bounds
    _writing_deadline: asyncio.TimerHandle | None = None

    def pause_writing(self) -> None:
        """Give the other side a while to read."""
        super().pause_writing()
        self._writing_deadline = self.loop.call_later(self.bounds.write_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """Go on: it reads."""
        super().resume_writing()
        self.end_writing_deadline()

    def end_writing_deadline(self) -> None:
        """Wait no more, as when the connection is lost."""
        if self._writing_deadline is not None:
            self._writing_deadline.cancel()
            self._writing_deadline = None
