"""Work that holds up the event loop, one piece at a time, with room for everything else between two pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from graphql import GraphQLError

from killreport.clock import monotonic


class Turns:
    """Takes half of the loop's time at most, however many wait for their turn. seconds: how long one may wait."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._lock = asyncio.Lock()
        self._free_at = 0.0

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Let the block run, which waits for nothing. Raises GraphQLError (TIMEOUT) where its turn does not come."""
        try:
            async with asyncio.timeout(self._seconds):
                await self._lock.acquire()
        except TimeoutError:
            message = f"Too many new queries wait to be read; this one did so for {self._seconds:g} s. Try again later."
            raise GraphQLError(message, extensions={"code": "TIMEOUT"}) from None
        try:
            # At least once around: who came at the same time finds the lock taken, and does not follow at once.
            await asyncio.sleep(max(0.0, self._free_at - monotonic()))
            begun = monotonic()
            try:
                yield
            finally:
                # As long as this piece took, the loop is everybody else's.
                ended = monotonic()
                self._free_at = ended + (ended - begun)
        finally:
            self._lock.release()
