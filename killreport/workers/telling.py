"""Tells open pages over Redis about stored killmails, beside the feed: nobody who listens holds a killmail up.

Without Redis there is nothing to do: the transaction that stores an event has the database tell it at its commit.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import structlog

from killreport.cache.events import KILLMAIL_CHANNEL, open_events
from killreport.config import Settings
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import KillreportError
from killreport.workers.waiting import background

# The event's row is the truth; whoever was not told finds it there. So the oldest may go when too many wait.
MOST_WAITING = 1000
PAUSE_SECONDS = 5.0
FAREWELL_SECONDS = 2.0

log = structlog.get_logger()


class Teller:
    """Takes the ids of committed events; `keep_telling` publishes them."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[int] = asyncio.Queue(MOST_WAITING)

    def tell(self, event_id: int) -> None:
        """Have the event told; returns at once."""
        if self._waiting.full():
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._waiting.put_nowait(event_id)

    async def keep_telling(self, settings: Settings, database: Database) -> None:
        """Publish what was taken, in its order, until cancelled."""
        while True:
            try:
                async with open_events(settings, database) as events:
                    while True:
                        event_id = await self._waiting.get()
                        try:
                            await events.publish(KILLMAIL_CHANNEL, str(event_id))
                        finally:
                            self._waiting.task_done()
            except (KillreportError, *DATABASE_ERRORS) as error:
                log.warning("telling_trouble", reason=str(error), pause_seconds=PAUSE_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def finish(self) -> None:
        """Wait a moment for what is still to be told."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._waiting.join()


@asynccontextmanager
async def telling(settings: Settings, database: Database) -> AsyncIterator[Teller]:
    """Lend a teller that works beside the block; without a Redis, one that says nothing."""
    teller = Teller()
    if settings.redis_url is None:
        yield teller
        return
    async with background(teller.keep_telling(settings, database)):
        yield teller
        await teller.finish()
