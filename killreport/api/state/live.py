"""Live events: one listener a process reads what was stored as news and hands it to every subscriber.

Events are read from their table in order, from the last one seen; what is published, over Redis or by the database,
only says that there is something to read, and a look every few seconds finds what nobody told. So nothing is missed
while a connection is away: the reader goes on where it was. A subscriber has a bounded queue; one that does not keep up
is cut off, and never holds up the others.
"""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import structlog

from killreport.api.engine.shared import SharedEvent
from killreport.api.state.listening import acting_on
from killreport.api.views.batch import Parts
from killreport.api.views.killmail import load_views
from killreport.api.views.universe import UniverseViews
from killreport.coordination.events import KILLMAIL_CHANNEL, Events
from killreport.db.database import Database
from killreport.errors import Transient
from killreport.killmail.filters.matching import match_all
from killreport.killmail.filters.tree import EVERYTHING, KillmailFilter
from killreport.killmail.stored.queries import (
    EVENT_PAGE,
    MAX_PAGE,
    EventRow,
    get_killmails,
    list_events,
    newest_event_id,
)

QUEUE_LENGTH = 1_000
# Over Redis only the feed tells what it stored; imports and histories are found by looking.
LOOK_SECONDS = 5.0

_log = structlog.get_logger(__name__)


class TooSlow(Transient):
    """The subscriber did not keep up and was cut off; it may subscribe again and read what it missed."""


class Subscriber:
    """One reader's bounded queue of killmails, events whose value is a `KillmailView`. wanted: which ones.

    An async iterator, so that GraphQL can read it.
    """

    def __init__(self, wanted: KillmailFilter = EVERYTHING) -> None:
        self.wanted = wanted
        self._queue: asyncio.Queue[SharedEvent] = asyncio.Queue(QUEUE_LENGTH)
        self._is_cut_off = self.is_closed = False

    def offer(self, killmails: Sequence[SharedEvent]) -> bool:
        """Queue the killmails; returns False, and takes nothing more for ever after, where there is no room."""
        if self._is_cut_off or self._queue.qsize() + len(killmails) > QUEUE_LENGTH:
            self._is_cut_off = True
            return False
        for killmail in killmails:
            self._queue.put_nowait(killmail)
        return True

    def __aiter__(self) -> Subscriber:
        return self

    async def __anext__(self) -> SharedEvent:
        """Return the next killmail. Raises TooSlow, before what is still queued, once there was no room."""
        if not self._is_cut_off:
            killmail = await self._queue.get()
        if self._is_cut_off:
            raise TooSlow(f"More than {QUEUE_LENGTH} killmails were waiting: subscribe again and read what was missed.")
        return killmail

    async def aclose(self) -> None:
        """Take nothing more; the hub forgets a subscriber that nobody holds."""
        self._is_cut_off = self.is_closed = True


class LiveHub:
    """Reads stored events in order and fans the killmails out."""

    def __init__(
        self, database: Database, views: UniverseViews, events: Events, on_event: Callable[[], None] = lambda: None
    ) -> None:
        """on_event: called for every event of killmails, before subscribers are told."""
        self._on_event = on_event
        self._database = database
        self._events = events
        self._views = views
        # Weak, because a connection may vanish between subscribing and reading, and then nobody unsubscribes.
        self._subscribers: weakref.WeakSet[Subscriber] = weakref.WeakSet()
        self._last_event_id = 0
        self._handed_out = 0  # killmails of the event after that one, where it failed inside

    @property
    def subscriber_count(self) -> int:
        """How many are listening now."""
        return len(self._subscribers)

    def subscribe(self, wanted: KillmailFilter = EVERYTHING) -> Subscriber:
        """Return a subscriber of what is stored from now on, read or not; the last ones before may come too."""
        subscriber = Subscriber(wanted)
        self._subscribers.add(subscriber)
        return subscriber

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Read events in the background while the block runs; the first is the next that is stored."""
        async with self._database.connection() as connection:
            self._last_event_id = await newest_event_id(connection)
        async with acting_on(
            "live-hub", lambda: self._events.subscribe(KILLMAIL_CHANNEL), self._look, look_seconds=LOOK_SECONDS
        ):
            yield

    async def _look(self) -> None:
        try:
            await self._catch_up()
        except Exception:
            # Whatever it was, the events stay in their table; the next look reads on from here.
            _log.exception("live_catch_up_failed", last_event_id=self._last_event_id)

    async def _catch_up(self) -> None:
        while True:
            async with self._database.connection() as connection:
                events = await list_events(connection, self._last_event_id)
            for event in events:
                await self._publish(event)
                self._last_event_id, self._handed_out = event.event_id, 0
            if len(events) < EVENT_PAGE:
                return

    async def _publish(self, event: EventRow) -> None:
        self._on_event()
        if event.kind != "stored":
            return
        while self._subscribers and self._handed_out < len(event.killmail_ids):
            await self._publish_page(event.killmail_ids[self._handed_out : self._handed_out + MAX_PAGE])
            self._handed_out += MAX_PAGE

    async def _publish_page(self, killmail_ids: Sequence[int]) -> None:
        async with self._database.connection() as connection:
            rows = await get_killmails(connection, killmail_ids)
        # All subscribers, and all their filters, share one load of what they ask for beyond the rows.
        parts = Parts(self._database, self._views, [row.killmail_id for row in rows])
        groups: dict[KillmailFilter, list[Subscriber]] = {}
        for subscriber in list(self._subscribers):
            groups.setdefault(subscriber.wanted, []).append(subscriber)
        places = await match_all(groups, rows, self._views.universe, parts.attackers.get, parts.items.get)
        views = await load_views(self._database, self._views, rows, parts)
        killmails = [SharedEvent(view) for view in views]
        for wanted, subscribers in groups.items():
            found = [killmails[place] for place in places[wanted]]
            for subscriber in subscribers if found else ():
                if not subscriber.offer(found):
                    self._subscribers.discard(subscriber)
                    if subscriber.is_closed:
                        continue
                    _log.warning("live_subscriber_too_slow", waiting=QUEUE_LENGTH)
