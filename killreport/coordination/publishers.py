"""Publishes what was stored and committed to other processes, beside the work: nobody who listens holds a killmail up.

Of killmails there is nothing to publish without a Redis: the transaction that stores an event has the database notify
at its commit. What is not published because the process dies is found by looking, or grows old.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager

import structlog

from killreport.background import beside, keep, wait_or_end
from killreport.config import Settings
from killreport.coordination.entity_events import publish_changed_entities
from killreport.coordination.events import KILLMAIL_CHANNEL, Events, open_events
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import KillreportError

# The event's row is the truth; whoever was not told finds it there. So the oldest may go when too many wait.
MAX_WAITING = 1000
PAUSE_SECONDS = 5.0
FAREWELL_SECONDS = 2.0

log = structlog.get_logger()


class _Publisher(ABC):
    """Takes ids after their commit; `keep_publishing` sends them."""

    def __init__(self) -> None:
        self._has_some = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    @abstractmethod
    async def _send_waiting(self, events: Events) -> None:
        """Send what waits, until nothing does."""

    def _wake(self) -> None:
        self._is_idle.clear()
        self._has_some.set()

    async def keep_publishing(self, settings: Settings, database: Database) -> None:
        """Send what was taken until cancelled, over events that are opened anew after each trouble.

        Opens nothing before there is something: a Redis costs memory.
        """
        await self._has_some.wait()
        while True:
            try:
                async with open_events(settings, database) as events:
                    while await self._has_some.wait():
                        await self._send_waiting(events)
                        self._has_some.clear()
                        self._is_idle.set()
            except (KillreportError, *DATABASE_ERRORS) as error:
                log.warning("publishing_trouble", reason=str(error), pause_seconds=PAUSE_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def finish(self) -> None:
        """Wait a moment for what is still to be sent."""
        await wait_or_end(self._is_idle, FAREWELL_SECONDS)


class EventPublisher(_Publisher):
    """Publishes ids of committed events, in their order."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: deque[int] = deque(maxlen=MAX_WAITING)

    def publish(self, event_id: int) -> None:
        """Have the event published; returns at once."""
        self._waiting.append(event_id)
        self._wake()

    async def _send_waiting(self, events: Events) -> None:
        while self._waiting:
            await events.publish(KILLMAIL_CHANNEL, str(self._waiting.popleft()))


class EntityPublisher(_Publisher):
    """Publishes ids of entities that changed, those that came meanwhile in one event."""

    def __init__(self) -> None:
        super().__init__()
        self._waiting: set[int] = set()

    def publish(self, entity_ids: Iterable[int]) -> None:
        """Have it published that other things are stored of these than before; returns at once. After the commit."""
        self._waiting.update(entity_ids)
        if self._waiting:
            self._wake()

    async def _send_waiting(self, events: Events) -> None:
        while self._waiting:
            ids, self._waiting = self._waiting, set()
            await publish_changed_entities(events, ids)


@asynccontextmanager
async def publishing_killmails(settings: Settings, database: Database) -> AsyncIterator[EventPublisher]:
    """Lend a publisher of killmails that works beside the block; without a Redis, one that sends nothing."""
    publisher = EventPublisher()
    if settings.redis_url is None:
        yield publisher
        return
    async with beside(keep(lambda: publisher.keep_publishing(settings, database), "publishing")):
        yield publisher
        await publisher.finish()


@asynccontextmanager
async def publishing_entities(settings: Settings, database: Database) -> AsyncIterator[EntityPublisher]:
    """Lend a publisher of changed entities that works beside the block."""
    publisher = EntityPublisher()
    async with beside(keep(lambda: publisher.keep_publishing(settings, database), "publishing")):
        yield publisher
        await publisher.finish()
