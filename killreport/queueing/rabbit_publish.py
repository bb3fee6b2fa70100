"""Publishing with confirms: returns when RabbitMQ has everything safe, or says that it has not."""

from __future__ import annotations

import asyncio
import itertools
import secrets
from collections.abc import Sequence
from functools import partial

from pamqp.commands import Basic, Confirm

from killreport.queueing.rabbit_channel import Channel, Lost, Received
from killreport.queueing.rabbit_link import Link
from killreport.queueing.rabbit_topology import Topology, declare

# Of one write to the socket. More gains nothing, less costs.
CHUNK = 500
# Published and not yet confirmed; RabbitMQ's own buffers and ours stay small with it.
MAX_IN_FLIGHT = 4000


class Sending:
    """Messages on their way to one queue. left: by number, what is not known to be safe; returned: no queue took it."""

    def __init__(self, bodies: Sequence[bytes]) -> None:
        self.left = dict(enumerate(bodies))
        self.returned: list[bytes] = []
        self.in_flight = 0
        self.changed = asyncio.Event()


class Confirming:
    """A channel with confirms, for several sendings at a time."""

    def __init__(self, channel: Channel, patience_seconds: float) -> None:
        self.channel = channel
        self._patience_seconds = patience_seconds
        self._published = 0
        # By the number RabbitMQ confirms, in order: whose message it is, and which.
        self._unconfirmed: dict[int, tuple[Sending, int]] = {}
        # By what comes back with a message that is returned.
        self._sendings: dict[str, Sending] = {}
        channel.on_confirm, channel.on_return, channel.on_gone = self._confirmed, self._returned, self._ended

    async def send(self, sending: Sending, address: str, properties: Basic.Properties) -> None:
        """Write all, at most MAX_IN_FLIGHT ahead of the confirms, and wait for the last.

        Raises Lost: with the channel, or because no answer came for as long as there is patience.
        """
        name = properties.correlation_id = secrets.token_hex(4)
        self._sendings[name] = sending
        numbers = list(sending.left)
        try:
            for start in range(0, len(numbers), CHUNK):
                chunk = numbers[start : start + CHUNK]
                await self._until_in_flight(sending, MAX_IN_FLIGHT - CHUNK)
                self._unconfirmed |= {self._published + at: (sending, number) for at, number in enumerate(chunk, 1)}
                self._published += len(chunk)
                sending.in_flight += len(chunk)
                self.channel.publish(address, properties, [sending.left[number] for number in chunk])
            await self._until_in_flight(sending, 0)
        finally:
            del self._sendings[name]

    async def _until_in_flight(self, sending: Sending, most: int) -> None:
        """Return when no more than so many have no answer yet. Raises Lost."""
        self.channel.check()
        while sending.in_flight > most:
            sending.changed.clear()
            try:
                async with asyncio.timeout(self._patience_seconds):
                    await sending.changed.wait()
            except TimeoutError:
                raise Lost("it did not confirm what was sent") from None
            self.channel.check()

    def _confirmed(self, answer: Basic.Ack | Basic.Nack) -> None:
        last = answer.delivery_tag or 0
        tags = list(itertools.takewhile(lambda tag: tag <= last, self._unconfirmed)) if answer.multiple else [last]
        for tag in tags:
            sending, number = self._unconfirmed.pop(tag)
            sending.in_flight -= 1
            sending.changed.set()
            if isinstance(answer, Basic.Ack):
                del sending.left[number]

    def _returned(self, message: Received) -> None:
        # Its confirm comes after it, and says that it is done with, not that it is anywhere.
        sending = self._sendings.get(message.properties.correlation_id or "")
        if sending is not None:
            sending.returned.append(message.body)

    def _ended(self) -> None:
        for sending in self._sendings.values():
            sending.changed.set()


class Publisher:
    """The one confirming channel of a process: made when it is first needed, and anew when it is lost."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._confirming: Confirming | None = None
        self._opening = asyncio.Lock()
        self._declared: set[str] = set()

    async def publish(
        self, topology: Topology, address: str, properties: Basic.Properties, bodies: Sequence[bytes]
    ) -> None:
        """Publish the bodies to one queue of the topology, which is made where it is missing.

        What was not confirmed (a lost connection, a queue that is not there or refuses) is published again, so it may
        arrive twice. Raises Unavailable where nothing was confirmed for as long as there is patience; some may be
        published then. Raises Conflict, Refused.
        """
        left = bodies
        while left:
            left = await self._link.patiently(partial(self._publish_some, topology, address, properties, left))

    async def _publish_some(
        self, topology: Topology, address: str, properties: Basic.Properties, bodies: Sequence[bytes]
    ) -> list[bytes]:
        """Publish, and return what is left of it. Raises Lost where that is all."""
        sending = Sending(bodies)
        why = Lost("it refused what was sent")
        try:
            confirming = await self._open(topology)
            await confirming.send(sending, address, properties)
        except Lost as error:
            why = error
        if sending.returned:
            # Somebody deleted it; the next try makes it again.
            self._declared.discard(topology.queue)
            why = Lost(f"the queue {address} is not there")
        left = [*sending.left.values(), *sending.returned]
        if len(left) >= len(bodies):
            raise why
        return left

    async def _open(self, topology: Topology) -> Confirming:
        async with self._opening:
            if self._confirming is None or not self._confirming.channel.is_open:
                self._declared.clear()
                channel = await (await self._link.connection()).channel()
                self._confirming = Confirming(channel, self._link.patience_seconds)
                await channel.ask(Confirm.Select(), Confirm.SelectOk)
            if topology.queue not in self._declared:
                async with self._link.channel() as channel:
                    await declare(channel, topology.declarations())
                self._declared.add(topology.queue)
            return self._confirming
