"""Publishing with confirms: returns when RabbitMQ has everything safe, or says that it has not."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import structlog
from pamqp import commands

from killreport.clock import monotonic
from killreport.errors import Unavailable
from killreport.queueing.rabbit_channel import FastChannel, Sending, open_channel
from killreport.queueing.rabbit_declare import declare
from killreport.queueing.rabbit_link import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, Link, Lost
from killreport.queueing.rabbit_topology import Topology

log = structlog.get_logger()


class Publisher:
    """The one confirming channel of a process: made when it is first needed, and anew when it is lost."""

    def __init__(self, link: Link) -> None:
        self._link = link
        self._channel: FastChannel | None = None
        self._opening = asyncio.Lock()
        self._declared: set[str] = set()

    async def publish(
        self, topology: Topology, address: str, properties: commands.Basic.Properties, bodies: Sequence[bytes]
    ) -> None:
        """Publish the bodies to one queue of the topology, which is made where it is missing.

        What was not confirmed (a lost connection, a queue that is not there or refuses) is published again, so it may
        arrive twice. Raises Unavailable where nothing was confirmed for as long as there is patience; some may be
        published then. Raises Conflict.
        """
        left = list(bodies)
        give_up_at = monotonic() + self._link.patience_seconds
        pause = FIRST_PAUSE_SECONDS
        while left:
            sending = Sending(address, properties, left)
            why = await self._try(topology, sending)
            remaining = [*sending.left.values(), *sending.returned]
            if len(remaining) < len(left):
                give_up_at, pause = monotonic() + self._link.patience_seconds, FIRST_PAUSE_SECONDS
            left = remaining
            if left:
                if monotonic() + pause > give_up_at:
                    raise Unavailable(f"RabbitMQ at {self._link.address} took no messages for {address}: {why}.")
                log.warning("rabbitmq_publish_repeated", queue=address, count=len(left), reason=why)
                await asyncio.sleep(pause)
                pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _try(self, topology: Topology, sending: Sending) -> str:
        """Send once; return why something is left, if something is."""
        try:
            channel = await self._open(topology)
        except Lost as error:
            return str(error)
        await channel.send(sending, self._link.patience_seconds)
        if sending.returned:
            # Somebody deleted it; the next try makes it again.
            self._declared.discard(topology.queue)
            return "the queue is not there"
        return sending.lost_why or "it refused them"

    async def _open(self, topology: Topology) -> FastChannel:
        async with self._opening:
            connection = await self._link.connection()
            if self._channel is None or self._channel.is_closed or self._channel.connection is not connection:
                self._declared.clear()
                self._channel = await open_channel(connection, publisher_confirms=True)
            if topology.queue not in self._declared:
                await declare(self._link, topology)
                self._declared.add(topology.queue)
            return self._channel
