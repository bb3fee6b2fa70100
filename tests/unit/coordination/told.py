"""A transport of events inside the test."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator


class Told:
    """Keeps what is published in `told`; a subscriber of any channel gets what is put into `payloads`."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.payloads: asyncio.Queue[str] = asyncio.Queue()

    async def publish(self, channel: str, payload: str) -> None:
        """See `Events`."""
        self.told.append((channel, payload))

    async def subscribe(self, channel: str) -> AsyncGenerator[str, None]:
        """See `Events`."""
        assert channel
        while True:
            yield await self.payloads.get()
