"""One stretch of consuming over a connection of its own: attached to every lane, watched, and left in good order.

How a consumer that died is told from one that gave back what it had: RabbitMQ marks a message `redelivered` whenever
it came back, after a crash, and just so after an operator looked at it or a consumer was stopped. Therefore each
consumer holds a card in its hand, unacknowledged, and acknowledges it when it leaves in good order. When it crashes,
RabbitMQ takes the card back along with the messages; nobody takes it, so it goes on to another queue at once and lies
there for CRASH_SECONDS. What comes back while a card lies there counts as lost with its consumer. The cards do not
survive RabbitMQ itself: after its restart nothing counts as lost.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import structlog
from pamqp.commands import Basic
from yarl import URL

from killreport.background import wait_or_end
from killreport.errors import KillreportError
from killreport.queueing.rabbit_channel import Channel, Lost, Received
from killreport.queueing.rabbit_connection import connect
from killreport.queueing.rabbit_topology import Topology, declare

WATCH_SECONDS = 15.0
# Of the lanes above the lowest this many more than there are places are fetched: a place that becomes free must find
# the next urgent message here already, or it would take one of the batch.
AHEAD = 10
# Messages and cards come back from a crash one after the other, not necessarily the cards first.
CARD_DELAY_SECONDS = 0.05
TRANSIENT = 1

log = structlog.get_logger()


class Session:
    """A consumer's hold on its queue. The card has a channel of its own: what goes wrong with it harms nothing else."""

    def __init__(self, topology: Topology, channel: Channel, cards: Channel) -> None:
        self._topology = topology
        self._channel = channel
        self._cards = cards
        self._gone = asyncio.Event()
        channel.on_gone = self._gone.set

    async def look(self) -> tuple[int, int]:
        """Return how many messages are ready in all lanes, and how many consumers the lane with the fewest has."""
        found = [await self._channel.declare(lane) for lane in self._topology.lanes]
        return sum(lane.message_count or 0 for lane in found), min(lane.consumer_count or 0 for lane in found)

    async def watch(self) -> None:
        """Return when the session is over: lost, or found to have no consumer although nobody said so."""
        with contextlib.suppress(Lost):
            while not await wait_or_end(self._gone, WATCH_SECONDS):
                _, consumers = await self.look()
                if consumers == 0:
                    return

    async def stop_deliveries(self) -> None:
        """Take nothing more; what was delivered can still be acknowledged. Nothing where the channel is gone."""
        with contextlib.suppress(Lost):
            for lane in self._topology.lanes:
                await self._channel.cancel(lane)

    async def take_card(self) -> None:
        """Take a card in hand. Where that fails, crashes are not counted, and the consumer works as well."""
        hands = self._topology.hands
        try:
            await declare(self._cards, self._topology.card_declarations())
            await self._cards.consume(hands, 1)
            self._cards.publish(hands, Basic.Properties(delivery_mode=TRANSIENT), [b""])
        except (Lost, KillreportError) as error:
            log.warning("rabbitmq_crashes_not_counted", queue=self._topology.queue, reason=str(error))

    async def leave_card(self) -> None:
        """Be done with it."""
        with contextlib.suppress(Lost, KillreportError):
            # First, or the card of somebody who comes in this moment would be handed over to us.
            await self._cards.cancel(self._topology.hands)
            self._cards.send(Basic.Ack(0, multiple=True))
            await self._cards.close()

    async def was_somebody_lost(self) -> bool:
        """Return whether a consumer of the queue died within CRASH_SECONDS."""
        with contextlib.suppress(Lost, KillreportError):
            for pause in (CARD_DELAY_SECONDS, 0):
                if (await self._cards.declare(self._topology.crashed)).message_count:
                    return True
                await asyncio.sleep(pause)
        return False


@asynccontextmanager
async def attached(
    url: URL, topology: Topology, prefetch: int, receive: Callable[[Channel, Received], None]
) -> AsyncIterator[Session]:
    """Make what is missing and begin to consume; at the end, what was delivered and not acknowledged goes back.

    receive: given each message, whose consumer has the lane's name. Raises Lost, Unavailable, Conflict, Refused.
    """
    connection = await connect(url, f"killreport {topology.queue}")
    try:
        channel = await connection.channel()
        await declare(channel, topology.declarations())
        session = Session(topology, channel, await connection.channel())
        await session.take_card()
        try:
            channel.on_delivery = lambda message: receive(channel, message)
            for lane in reversed(topology.lanes):
                await channel.consume(lane, prefetch + (AHEAD if lane != topology.lanes[0] else 0))
            if len(topology.lanes) > 1:
                # One answer later what waited in the lanes has arrived, and the most urgent can be told from the rest.
                await session.look()
                await session.look()
            yield session
            await channel.close()
        finally:
            await session.leave_card()
    finally:
        await connection.close()
