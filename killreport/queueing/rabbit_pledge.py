"""How a consumer that died is told from one that gave back what it had.

RabbitMQ marks a message `redelivered` whenever it came back: after a crash, and just so after an operator looked at it
or a consumer was stopped. Therefore each consumer holds a card in its hand, unacknowledged, and acknowledges it when
it leaves in good order. When it crashes, RabbitMQ takes the card back along with the messages; nobody takes it, so it
goes on to another queue at once and lies there for CRASH_SECONDS. What comes back while a card lies there counts as
lost with its consumer. The cards do not survive RabbitMQ itself: after its restart nothing counts as lost.
"""

from __future__ import annotations

import asyncio

import structlog
from aiormq import exceptions
from aiormq.abc import DeliveredMessage
from aiormq.connection import Connection
from pamqp import commands

from killreport.errors import KillreportError
from killreport.queueing.rabbit_channel import FastChannel, open_channel
from killreport.queueing.rabbit_declare import ANSWER_SECONDS, declare_queue
from killreport.queueing.rabbit_link import Lost, close_quietly, telling_loss
from killreport.queueing.rabbit_topology import Topology

# Messages and cards come back from a crash one after the other, not necessarily the cards first.
CARD_DELAY_SECONDS = 0.05
TRANSIENT = 1

log = structlog.get_logger()


class Pledge:
    """A consumer's card, on a channel of its own, so that whatever goes wrong with it harms nothing else."""

    def __init__(self, topology: Topology) -> None:
        self._topology = topology
        self._channel: FastChannel | None = None
        self._cards: list[int] = []

    async def give(self, connection: Connection) -> None:
        """Take a card in hand. Where that fails, crashes are not counted, and the consumer works as well."""
        try:
            self._channel = channel = await open_channel(connection)
            for name, arguments in self._topology.pledge_declarations().items():
                await declare_queue(channel, name, arguments)
            self._cards.clear()
            channel.on_delivery = self._take
            with telling_loss():
                await channel.basic_qos(prefetch_count=1, timeout=ANSWER_SECONDS)
                await channel.basic_consume(self._topology.hands, _never, timeout=ANSWER_SECONDS)
                await channel.basic_publish(
                    b"",
                    routing_key=self._topology.hands,
                    properties=commands.Basic.Properties(delivery_mode=TRANSIENT),
                    wait=False,
                )
        except (Lost, KillreportError) as error:
            log.warning("rabbitmq_crashes_not_counted", queue=self._topology.queue, reason=str(error))

    async def was_somebody_lost(self) -> bool:
        """Return whether a consumer of the queue died within CRASH_SECONDS."""
        if await self._are_cards_there():
            return True
        await asyncio.sleep(CARD_DELAY_SECONDS)
        return await self._are_cards_there()

    async def take_back(self) -> None:
        """Leave in good order."""
        channel, self._channel = self._channel, None
        if channel is None or channel.is_closed:
            return
        try:
            with telling_loss():
                # First, or the card of somebody who comes in this moment would be handed over to us.
                for tag in list(channel.consumers):
                    await channel.basic_cancel(tag, timeout=ANSWER_SECONDS)
            for card in self._cards:
                channel.answer(commands.Basic.Ack(card))
            await channel.flush()
        except Lost:
            return
        await close_quietly(channel)

    async def _are_cards_there(self) -> bool:
        if self._channel is None or self._channel.is_closed:
            return False
        try:
            with telling_loss():
                found = await self._channel.queue_declare(self._topology.crashed, passive=True, timeout=ANSWER_SECONDS)
        except (Lost, exceptions.AMQPError):
            return False
        return bool(found.message_count)

    def _take(self, card: DeliveredMessage) -> None:
        self._cards.append(card.delivery_tag or 0)


async def _never(_message: DeliveredMessage) -> None:
    """Stand in for aiormq's callback: what is delivered goes to `on_delivery`."""
