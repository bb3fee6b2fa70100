"""Hands what the ledger holds to the queues: entities seen on killmails and not known yet, or not any more.

The ledger is written with the killmail; the queues hear of it afterwards, from here. So nothing is lost when a queue
does not answer or the process dies in between: the row stays, and the next sweep finds it. On the way ESI is asked for
the names of many at once, and those that are gone come on the ledger again when their pause is over.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta

import structlog

from killreport.background import wait_or_end
from killreport.backoff import Backoff
from killreport.clock import monotonic
from killreport.config import Settings
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import find_due, mark_queued, note_gone
from killreport.errors import KillreportError, Unavailable
from killreport.queueing.broker import Broker, Priority
from killreport.queueing.messages import (
    QUEUE_OF,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
    TypeMessage,
)
from killreport.queueing.open import open_broker
from killreport.workers.naming import Namer, open_namer

# In one transaction: the ledger's rows are locked until the queues confirmed them, and a worker may wait for one.
BATCH = 2000
# More than this at once comes from an import, and shall not stand in the way of what is seen live.
MAX_SEEN = 1000
PUBLISH_SECONDS = 10.0
SWEEP_SECONDS = 30.0
# Of those that are gone so many are asked for again in a sweep: each may be an error, and ESI allows 100 a minute.
MAX_GONE = 10
# A battle brings a killmail every few milliseconds; its crowd is handed over together.
DEBOUNCE_SECONDS = 0.25
# The broker's own patience would keep the sweep from the database's news; it comes back here anyway.
BROKER_PATIENCE_SECONDS = 5.0

_MESSAGE_OF: dict[EntityKind, Callable[[int], Message]] = {
    EntityKind.CHARACTER: CharacterMessage,
    EntityKind.CORPORATION: CorporationMessage,
    EntityKind.ALLIANCE: AllianceMessage,
    EntityKind.SHIP_TYPE: TypeMessage,
}

log = structlog.get_logger()


async def hand_over(database: Database, broker: Broker, settings: Settings, namer: Namer | None = None) -> int:
    """Queue everything in the ledger that is due, and return how many entities that were.

    namer: gives them names first, a thousand in one question; None: they get theirs from their workers.
    Safe to repeat, to break off and to run twice at once: an entity may be queued twice, never not at all.
    Raises Unavailable where the queues do not answer.
    """
    retry_after = timedelta(minutes=settings.ledger_retry_minutes)
    total = 0
    priority = Priority.SEEN
    while True:
        if namer is not None:
            await namer.name_due(BATCH, retry_after)
        async with database.transaction() as connection:
            due = await find_due(connection, limit=BATCH, retry_after=retry_after)
            if len(due) > MAX_SEEN:
                priority = Priority.BATCH  # and so is the rest of it
            if due:
                await publish_entities(broker, due, priority)
                await mark_queued(connection, due)
        total += len(due)
        if len(due) < BATCH:
            return total


async def publish_entities(broker: Broker, entities: list[tuple[EntityKind, int]], priority: Priority) -> None:
    """Queue these entities for their workers. Raises Unavailable where that takes long: some may be queued then."""
    messages: dict[str, list[Message]] = defaultdict(list)
    for kind, entity_id in entities:
        message = _MESSAGE_OF[kind](entity_id)
        messages[QUEUE_OF[type(message)]].append(message)
    try:
        async with asyncio.timeout(PUBLISH_SECONDS):
            for queue, several in messages.items():
                await broker.publish_many(queue, several, priority=priority)
    except TimeoutError:
        raise Unavailable(f"The queues did not confirm within {PUBLISH_SECONDS:.0f} s.") from None


async def keep_handing_over(settings: Settings, database: Database, has_new: asyncio.Event) -> None:
    """Hand over now, soon after each time `has_new` is set, and every half minute; until cancelled. Survives all."""
    backoff = Backoff()
    gone = Pace(SWEEP_SECONDS)
    while True:
        try:
            async with (
                open_broker(settings, database, patience_seconds=BROKER_PATIENCE_SECONDS) as broker,
                open_namer(settings, database) as namer,
            ):
                while True:
                    has_new.clear()
                    if gone.is_due():
                        async with database.transaction() as connection:
                            await note_gone(connection, MAX_GONE)
                    count = await hand_over(database, broker, settings, namer)
                    backoff.reset()
                    if count:
                        log.info("entities_queued", count=count)
                    if await wait_or_end(has_new, SWEEP_SECONDS):
                        await asyncio.sleep(DEBOUNCE_SECONDS)
        except (KillreportError, *DATABASE_ERRORS) as error:
            pause = backoff.next()
            log.warning("handover_trouble", reason=str(error), pause_seconds=pause)
            await asyncio.sleep(pause)


class Pace:
    """Says yes once in so many seconds."""

    def __init__(self, seconds: float, clock: Callable[[], float] = monotonic) -> None:
        self._seconds = seconds
        self._clock = clock
        self._next = clock()

    def is_due(self) -> bool:
        """Return whether the time has come, and begin the next wait where it has."""
        now = self._clock()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True
