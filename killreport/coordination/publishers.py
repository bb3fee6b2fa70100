"""Publishes what was stored and committed to other processes, beside the work: nobody who listens holds a killmail up.

Of killmails there is nothing to publish without a Redis: the transaction that stores an event has the database notify
at its commit. What is not published because the process dies is found by looking, or grows old.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
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


Send = Callable[[Events, list[int]], Awaitable[None]]


class IdPublisher:
    """Takes ids after their commit; `keep_publishing` sends them, those that came meanwhile together.

    max_waiting: above it the oldest are dropped; None: none is.
    """

    def __init__(self, send: Send, max_waiting: int | None = None) -> None:
        self._send = send
        self._max_waiting = max_waiting
        self._waiting: dict[int, None] = {}
        self._has_some = asyncio.Event()
        self._is_idle = asyncio.Event()
        self._is_idle.set()

    def publish(self, ids: Iterable[int]) -> None:
        """Have the ids published, each once; returns at once. To be called after the commit."""
        self._waiting.update(dict.fromkeys(ids))
        while self._max_waiting is not None and len(self._waiting) > self._max_waiting:
            del self._waiting[next(iter(self._waiting))]
        if self._waiting:
            self._is_idle.clear()
            self._has_some.set()

    async def keep_publishing(self, settings: Settings, database: Database) -> None:
        """Send what was taken until cancelled, over events that are reopened after each trouble.

        Opens nothing before there is something: a Redis costs memory.
        """
        await self._has_some.wait()
        while True:
            try:
                async with open_events(settings, database) as events:
                    while await self._has_some.wait():
                        while self._waiting:
                            ids, self._waiting = list(self._waiting), {}
                            await self._send(events, ids)
                        self._has_some.clear()
                        self._is_idle.set()
            except (KillreportError, *DATABASE_ERRORS) as error:
                log.warning("publishing_trouble", reason=str(error), pause_seconds=PAUSE_SECONDS)
            await asyncio.sleep(PAUSE_SECONDS)

    async def finish(self) -> None:
        """Wait a moment for what is still to be sent."""
        await wait_or_end(self._is_idle, FAREWELL_SECONDS)


async def _send_killmails(events: Events, event_ids: list[int]) -> None:
    for event_id in event_ids:
        await events.publish(KILLMAIL_CHANNEL, str(event_id))


@asynccontextmanager
async def publishing_killmails(settings: Settings, database: Database) -> AsyncIterator[IdPublisher]:
    """Lend a publisher of events of killmails, in their order; without a Redis, one that sends nothing."""
    publisher = IdPublisher(_send_killmails, MAX_WAITING)
    if settings.redis_url is None:
        yield publisher
        return
    async with _publishing(publisher, settings, database):
        yield publisher


@asynccontextmanager
async def publishing_entities(settings: Settings, database: Database) -> AsyncIterator[IdPublisher]:
    """Lend a publisher of entities that changed, many in one event."""
    publisher = IdPublisher(publish_changed_entities)
    async with _publishing(publisher, settings, database):
        yield publisher


@asynccontextmanager
async def _publishing(publisher: IdPublisher, settings: Settings, database: Database) -> AsyncIterator[None]:
    """Let it work beside the block."""
    async with beside(keep(lambda: publisher.keep_publishing(settings, database), "publishing")):
        yield
        await publisher.finish()
