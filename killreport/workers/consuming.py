"""The shared start of a queue worker: connects what its handler works with, and consumes its queue.

A handler is a function of a message and of `Tools`. What it raises decides about the message
(`killreport.queueing.handling`); it is called again for the same message after a crash, so it must stand that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

import structlog

from killreport.background import wait_or_end
from killreport.backoff import Backoff
from killreport.clock import utc_now
from killreport.config import Settings
from killreport.coordination.heartbeats import Heartbeat, WaitState, beat
from killreport.coordination.publishers import IdPublisher, publishing_entities
from killreport.coordination.single_instance import single_instance
from killreport.db.database import AWAY_ERRORS, Database
from killreport.errors import HostAway, Unavailable
from killreport.esi.client import EsiClient, open_esi
from killreport.fleet.notify import notify_ready, notify_status
from killreport.fleet.table import ProcessRow, find_queue
from killreport.queueing.broker import Broker, Delivery, Handler, Priority
from killreport.queueing.handling import explain
from killreport.queueing.messages import QUEUE_OF, Message
from killreport.queueing.open import open_broker

_MESSAGE = TypeVar("_MESSAGE", bound=Message)

log = structlog.get_logger()


@dataclass(frozen=True)
class Tools:
    """What a handler works with. stop: set when the worker was told to end; whoever waits for long should look.

    entities: publishes what changed about one. priority: of the message in hand, for those that follow from it.
    """

    settings: Settings
    database: Database
    broker: Broker
    esi: EsiClient
    stop: asyncio.Event
    entities: IdPublisher
    priority: Priority = Priority.BATCH


Handle = Callable[[_MESSAGE, Tools], Awaitable[None]]
Run = Callable[..., Coroutine[Any, Any, None]]


async def run_worker(
    kind: type[_MESSAGE],
    handle: Handle[_MESSAGE],
    settings: Settings,
    database: Database,
    *,
    stop: asyncio.Event,
    once: bool,
    row: ProcessRow | None = None,
) -> None:
    """Hand the messages of this kind to the handler until `stop` is set, then let those in hand finish and return.

    row: the worker's, as it is wanted here; None: as the fleet table has it.
    once: return when nothing is ready and nothing in hand. Says READY when it is about to consume. Raises Conflict
    where the worker may run once only and does so already, or where the queue exists with other arguments.
    """
    row = row or find_queue(QUEUE_OF[cast(type[Message], kind)])
    async with (
        open_broker(settings, database) as broker,
        open_esi(settings, database) as esi,
        publishing_entities(settings, database) as entities,
        beat(database, row.name) as heartbeat,
    ):
        handler = _handler(kind, handle, Tools(settings, database, broker, esi, stop, entities), heartbeat)
        await _consume(row, broker, handler, database, stop, once=once)


def worker_of(kind: type[_MESSAGE], handle: Handle[_MESSAGE]) -> Run:
    """Return the entry of the worker that hands the messages of this kind to the handler, as `run_worker` does."""

    async def run(
        settings: Settings,
        database: Database,
        *,
        stop: asyncio.Event,
        once: bool = False,
        row: ProcessRow | None = None,
    ) -> None:
        await run_worker(kind, handle, settings, database, stop=stop, once=once, row=row)

    return run


async def _consume(
    row: ProcessRow, broker: Broker, handler: Handler, database: Database, stop: asyncio.Event, *, once: bool
) -> None:
    """Consume until told to stop or drained; a lock that was lost with the database is taken anew first."""
    queue = str(row.queue)
    backoff = Backoff()
    while not stop.is_set():
        try:
            async with _only_one(row, database, stop) as ended:
                # The transport declares its queues when it is first asked; what it refuses is said before READY.
                await broker.counts(queue)
                notify_ready()
                notify_status(f"consumes {queue}, prefetch {row.prefetch}")
                log.info("worker_ready", queue=queue, prefetch=row.prefetch)
                await broker.consume(
                    queue, handler, prefetch=row.prefetch, attempts=row.attempts, stop=ended, drain=once
                )
                if not ended.is_set():
                    return
            backoff.reset()
        except (Unavailable, *AWAY_ERRORS) as error:
            pause = backoff.next()
            log.warning("worker_trouble", queue=queue, reason=explain(error), pause_seconds=pause)
            notify_status(f"waits: {error}")
            await wait_or_end(stop, pause)


@asynccontextmanager
async def _only_one(row: ProcessRow, database: Database, stop: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Lend what ends the consuming: `stop`, and for a worker that is to be the only one also the loss of its lock."""
    if not row.is_single:
        yield stop
        return
    async with single_instance(database, row.name, stop) as ended:
        yield ended


def _handler(kind: type[_MESSAGE], handle: Handle[_MESSAGE], tools: Tools, heartbeat: Heartbeat) -> Handler:
    waiting: WaitState | None = None
    heartbeat.waiting = lambda: waiting

    async def handler(message: Message, delivery: Delivery) -> None:
        nonlocal waiting
        assert isinstance(message, kind)  # the queue decodes to this kind, and to no other
        try:
            await handle(message, replace(tools, priority=delivery.priority))
        except HostAway as error:
            heartbeat.failed(explain(error))
            waiting = WaitState("an answer", str(error).rstrip("."), waiting.since if waiting else utc_now())
            raise
        except Exception as error:
            heartbeat.failed(explain(error))
            waiting = None
            raise
        heartbeat.succeeded()
        waiting = None

    return handler
