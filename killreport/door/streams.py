"""Answers that go on, each in a place."""

from __future__ import annotations

from typing import Any

from starlette.responses import StreamingResponse
from starlette.types import Receive, Scope, Send

from killreport.door.concurrency import Permit


class PlacedStream(StreamingResponse):
    """Gives its place back at its end, also where the client was gone before the first piece."""

    def __init__(self, place: Permit, *args: Any, **others: Any) -> None:
        super().__init__(*args, **others)
        self._place = place

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send everything."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._place.give_back()
