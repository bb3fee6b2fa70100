"""The message layer over RabbitMQ: durable queues, persistent messages, every publication confirmed.

Two connections a process at most, made when they are needed: one publishes and asks, one consumes. RabbitMQ slows down
a connection that publishes too fast, and acknowledgements must not wait for that.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import TypeVar

from pamqp.commands import Queue
from yarl import URL

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.errors import BadSetting
from killreport.fleet.table import find_queue
from killreport.queueing import rabbit_letters as letters
from killreport.queueing.broker import DeadLetter, Handler, Priority, QueueCounts, Waiting
from killreport.queueing.messages import Message, encode
from killreport.queueing.rabbit_channel import Channel
from killreport.queueing.rabbit_consume import RabbitConsumer
from killreport.queueing.rabbit_envelope import Envelope
from killreport.queueing.rabbit_link import Link, read_url
from killreport.queueing.rabbit_publish import Publisher
from killreport.queueing.rabbit_topology import QueueType, Topology, declare, topology_of

# A consumer takes the head of a shorter queue in a moment; a look at it would only get in its way.
BACKLOG = 100

Found = dict[str, Queue.DeclareOk]
T = TypeVar("T")


@asynccontextmanager
async def open_rabbit(
    settings: Settings, *, patience_seconds: float = 60.0, prefix: str = ""
) -> AsyncIterator[RabbitBroker]:
    """Lend the queues of the RabbitMQ that the settings name.

    patience_seconds: how long one that does not answer is waited for, here and later; then Unavailable is raised.
    prefix: put before every queue's name. Raises Refused where RabbitMQ does not let this user in.
    """
    if settings.broker_url is None:
        raise BadSetting("KILLREPORT_BROKER_URL is not set.")
    url = read_url(settings.broker_url.get_secret_value())
    link = Link(url, patience_seconds)
    try:
        await link.patiently(link.connection)
        yield RabbitBroker(url, link, settings.broker_queue_type, prefix)
    finally:
        await link.close()


class RabbitBroker:
    """The queues in RabbitMQ; see `killreport.queueing.broker.Broker` for what each method does."""

    def __init__(self, url: URL, link: Link, queue_type: QueueType, prefix: str) -> None:
        self._url = url
        self._link = link
        self._queue_type = queue_type
        self._prefix = prefix
        self._publisher = Publisher(link)

    async def publish_many(
        self, queue: str, messages: Sequence[Message], *, priority: Priority = Priority.BATCH
    ) -> None:
        """Publish all; returned, RabbitMQ has confirmed each."""
        await self.publish_bodies(queue, [encode(message) for message in messages], priority=priority)

    async def publish_bodies(self, queue: str, bodies: Sequence[bytes], *, priority: Priority = Priority.BATCH) -> None:
        """Publish all; returned, RabbitMQ has confirmed each."""
        topology = self._topology(queue)
        properties = Envelope(priority=priority, published_at=utc_now()).properties()
        await self._publisher.publish(topology, topology.lane(priority), properties, bodies)

    async def consume(
        self,
        queue: str,
        handler: Handler,
        *,
        prefetch: int,
        stop: asyncio.Event,
        drain: bool = False,
        attempts: int | None = None,
    ) -> None:
        """Hand messages to the handler until told to stop, over a connection of its own. Raises Conflict, Refused."""
        topology = self._topology(queue)
        if attempts is not None:
            topology = replace(topology, row=replace(topology.row, attempts=attempts))
        consumer = RabbitConsumer(self._url, self._publisher, topology, handler, prefetch=prefetch, stop=stop)
        await consumer.run(drain=drain)

    async def counts(self, queue: str) -> QueueCounts:
        """Return how the queue stands; unacked is unknown, as is oldest where a short queue has consumers.

        On quorum queues oldest leaves out what waits for its next attempt.
        """
        return await self._ask(queue, self._count)

    async def peek(self, queue: str, limit: int) -> list[Waiting]:
        """Return the first messages that wait, retries last; for a moment no consumer can have them.

        On quorum queues retries are left out, for they must not be looked at.
        """
        return await self._ask(queue, lambda channel, topology, _: letters.list_waiting(channel, topology, limit))

    async def purge(self, queue: str) -> int:
        """Throw away what waits."""
        return await self._ask(queue, self._purge)

    async def dead_list(self, queue: str, limit: int) -> list[DeadLetter]:
        """Return dead letters, the newest first."""
        return await self._ask(queue, lambda channel, topology, _: letters.list_letters(channel, topology, limit))

    async def dead_retry(self, queue: str, letter_ids: Sequence[str] | None = None) -> int:
        """Publish dead letters again, and drop them when that is confirmed; cut off between, they are in both."""
        return await self._ask(
            queue, lambda channel, topology, _: letters.drop_letters(channel, topology, letter_ids, self._publisher)
        )

    async def dead_drop(self, queue: str, letter_ids: Sequence[str] | None = None) -> int:
        """Throw dead letters away."""
        return await self._ask(queue, lambda channel, topology, _: letters.drop_letters(channel, topology, letter_ids))

    async def _count(self, channel: Channel, topology: Topology, found: Found) -> QueueCounts:
        ready = {name: answer.message_count or 0 for name, answer in found.items()}
        consumers = max(found[lane].consumer_count or 0 for lane in topology.lanes)
        backlogs = [lane for lane in topology.lanes if ready[lane] >= (BACKLOG if consumers else 1)]
        delayed = [name for name in topology.visible_retries if ready[name]]
        return QueueCounts(
            queue=topology.queue,
            ready=sum(ready[lane] for lane in topology.lanes),
            delayed=sum(ready[name] for name in topology.retries.values()),
            unacked=None,
            consumers=consumers,
            dead=ready[topology.dead],
            oldest=await letters.oldest_of(channel, backlogs + delayed),
        )

    async def _purge(self, channel: Channel, topology: Topology, _found: Found) -> int:
        names = (*topology.lanes, *topology.retries.values())
        answers = [await channel.ask(Queue.Purge(queue=name), Queue.PurgeOk) for name in names]
        return sum(answer.message_count or 0 for answer in answers)

    async def _ask(self, queue: str, question: Callable[[Channel, Topology, Found], Awaitable[T]]) -> T:
        """Make what is missing of the queue and ask about it."""
        topology = self._topology(queue)

        async def once() -> T:
            async with self._link.channel() as channel:
                return await question(channel, topology, await declare(channel, topology.declarations()))

        return await self._link.patiently(once)

    def _topology(self, queue: str) -> Topology:
        return topology_of(find_queue(queue), self._queue_type, self._prefix)
