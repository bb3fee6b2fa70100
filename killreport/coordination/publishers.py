"""Tells other processes what was stored and committed, beside the work: nobody who listens holds a killmail up.

Of killmails there is nothing to tell without a Redis: the transaction that stores an event has the database tell it at
its commit. What is not told because the process dies is found by looking, or grows old.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager

import structlog

from killreport.background import beside, keep, wait_or_end
from killreport.config import Settings
from killreport.coordination.entity_events import tell_entities
from killreport.coordination.events import KILLMAIL_CHANNEL, Events, open_events
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import KillreportError

# The event's row is the truth; whoever was not told finds it there. So the oldest may go when too many wait.
MAX_WAITING = 1000
PAUSE_SECONDS = 5.0
FAREWELL_SECONDS = 2.0

log = structlog.get_logger()


class Teller:
    """Takes the ids of committed events; `keep_telling` publishes them."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[int] = asyncio.Queue(MAX_WAITING)

    def tell(self, event_id: int) -> None:
        """Have the event told; returns at once."""
        if self._waiting.full():
            self._waiting.get_nowait()
            self._waiting.task_done()
        self._waiting.put_nowait(event_id)

    async def keep_telling(self, settings: Settings, database: Database) -> None:
        """Publish what was taken, in its order, until cancelled."""
        await _keep_publishing(settings, database, self._publish)

    async def _publish(self, events: Events) -> None:
        event_id = await self._waiting.get()
        try:
            await events.publish(KILLMAIL_CHANNEL, str(event_id))
        finally:
            self._waiting.task_done()

    async def finish(self) -> None:
        """Wait a moment for what is still to be told."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(FAREWELL_SECONDS):
                await self._waiting.join()


class EntityTeller:
    """Takes the ids of entities that changed; `keep_telling` publishes them, those that came meanwhile in one event."""

    def __init__(self) -> None:
        self._waiting: set[int] = set()
        self._has_some = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def tell(self, entity_ids: Iterable[int]) -> None:
        """Have it told that other things are stored of these than before; returns at once. After the commit."""
        self._waiting.update(entity_ids)
        if self._waiting:
            self._is_idle.clear()
            self._has_some.set()

    async def keep_telling(self, settings: Settings, database: Database) -> None:
        """Publish what was taken until cancelled. Opens nothing before there is something: a Redis costs memory."""
        await self._has_some.wait()
        await _keep_publishing(settings, database, self._publish)

    async def _publish(self, events: Events) -> None:
        await self._has_some.wait()
        ids, self._waiting = self._waiting, set()
        self._has_some.clear()
        await tell_entities(events, ids)
        if not self._waiting:
            self._is_idle.set()

    async def finish(self) -> None:
        """Wait a moment for what is still to be told."""
        await wait_or_end(self._is_idle, FAREWELL_SECONDS)


async def _keep_publishing(
    settings: Settings, database: Database, publish: Callable[[Events], Awaitable[None]]
) -> None:
    """Call `publish` again and again, over events that are opened anew after each trouble; until cancelled."""
    while True:
        try:
            async with open_events(settings, database) as events:
                while True:
                    await publish(events)
        except (KillreportError, *DATABASE_ERRORS) as error:
            log.warning("telling_trouble", reason=str(error), pause_seconds=PAUSE_SECONDS)
        await asyncio.sleep(PAUSE_SECONDS)


@asynccontextmanager
async def telling(settings: Settings, database: Database) -> AsyncIterator[Teller]:
    """Lend a teller of killmails that works beside the block; without a Redis, one that says nothing."""
    teller = Teller()
    if settings.redis_url is None:
        yield teller
        return
    async with beside(keep(lambda: teller.keep_telling(settings, database), "telling")):
        yield teller
        await teller.finish()


@asynccontextmanager
async def telling_entities(settings: Settings, database: Database) -> AsyncIterator[EntityTeller]:
    """Lend a teller of entities that works beside the block."""
    teller = EntityTeller()
    async with beside(keep(lambda: teller.keep_telling(settings, database), "telling")):
        yield teller
        await teller.finish()
