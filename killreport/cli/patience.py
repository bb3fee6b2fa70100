"""HTTP connections whose headers must come in time: a client that sends a byte a minute does not keep one."""

from __future__ import annotations

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEADER_SECONDS = 10.0


class PatientProtocol(HttpToolsProtocol):
    """uvicorn's protocol, which by itself waits for ever for the end of a request's headers."""

    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """Begin waiting for the first request."""
        super().connection_made(transport)
        self._begin()

    def on_message_begin(self) -> None:
        """Begin waiting for the rest of the headers; the pause before the next request is uvicorn's to bound."""
        super().on_message_begin()
        self._begin()

    def on_headers_complete(self) -> None:
        """Wait no more."""
        self._end()
        super().on_headers_complete()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait no more."""
        self._end()
        super().connection_lost(exc)

    def _begin(self) -> None:
        self._end()
        self._deadline = self.loop.call_later(HEADER_SECONDS, self.transport.close)

    def _end(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
