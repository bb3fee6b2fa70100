"""One stretch of consuming over one connection: attached to every lane, watched, and left in good order."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from aiormq.abc import DeliveredMessage

from killreport.queueing.rabbit_channel import FastChannel, open_channel
from killreport.queueing.rabbit_declare import ANSWER_SECONDS, Declared, declare
from killreport.queueing.rabbit_link import Link, Lost, close_quietly, telling_loss
from killreport.queueing.rabbit_pledge import Pledge
from killreport.queueing.rabbit_topology import Topology

WATCH_SECONDS = 15.0
# Of the lanes above the lowest this many more than there are places are fetched: a place that becomes free must find
# the next urgent message here already, or it would take one of the batch.
AHEAD = 10


class Session:
    """A consumer's channel, from `attach` (raises Lost, Unavailable, Conflict, Refused) to `leave`."""

    def __init__(self, link: Link, topology: Topology, prefetch: int) -> None:
        self._link = link
        self._topology = topology
        self._prefetch = prefetch
        self._pledge = Pledge(topology)
        self.channel: FastChannel | None = None

    async def attach(self, receive: Callable[[FastChannel, str, DeliveredMessage], None]) -> FastChannel:
        """Make what is missing and begin to consume; return when what waits there is on its way."""
        await declare(self._link, self._topology)
        connection = await self._link.connection()
        await self._pledge.give(connection)
        self.channel = channel = await open_channel(connection)
        lane_of: dict[str, str] = {}

        def on_delivery(message: DeliveredMessage) -> None:
            receive(channel, lane_of[message.consumer_tag or ""], message)

        channel.on_delivery = on_delivery
        with telling_loss():
            for lane in reversed(self._topology.lanes):
                window = self._prefetch + (AHEAD if lane != self._topology.lanes[0] else 0)
                await channel.basic_qos(prefetch_count=window, timeout=ANSWER_SECONDS)
                # The tag before the call: a delivery can come before the answer to it.
                lane_of[lane] = lane
                await channel.basic_consume(lane, _never, consumer_tag=lane, timeout=ANSWER_SECONDS)
        if len(lane_of) > 1:
            # One answer later what waited in the lanes has arrived, and the most urgent can be told from the rest.
            await self.look()
            await self.look()
        return channel

    async def look(self) -> Declared:
        """Return how many messages are ready in all lanes, and how many consumers the lane with the fewest has."""
        assert self.channel is not None  # asked only while attached
        found = []
        with telling_loss():
            for lane in self._topology.lanes:
                answer = await self.channel.queue_declare(lane, passive=True, timeout=ANSWER_SECONDS)
                found.append(Declared(answer.message_count or 0, answer.consumer_count or 0))
        return Declared(sum(lane.ready for lane in found), min(lane.consumers for lane in found))

    async def watch(self) -> None:
        """Return when the session is over: lost, or found to have no consumer although nobody said so."""
        assert self.channel is not None
        while not self.channel.gone.is_set():
            try:
                async with asyncio.timeout(WATCH_SECONDS):
                    await self.channel.gone.wait()
            except TimeoutError:
                try:
                    found = await self.look()
                except Lost:
                    return
                if found.consumers == 0:
                    return

    async def was_somebody_lost(self) -> bool:
        """Return whether a consumer of the queue died lately."""
        return await self._pledge.was_somebody_lost()

    async def stop_deliveries(self) -> None:
        """Take nothing more; what was delivered can still be acknowledged. Nothing where the channel is gone."""
        if self.channel is None or self.channel.is_closed:
            return
        try:
            with telling_loss():
                for tag in list(self.channel.consumers):
                    await self.channel.basic_cancel(tag, timeout=ANSWER_SECONDS)
        except Lost:
            return

    async def leave(self) -> None:
        """End the session; what was delivered and not acknowledged goes back to its queue."""
        channel, self.channel = self.channel, None
        if channel is not None and not channel.is_closed:
            with contextlib.suppress(Lost):
                await channel.flush()
            await close_quietly(channel)
        await self._pledge.take_back()
        if channel is None or not channel.connection.is_opened:
            await self._link.close()


async def _never(_message: DeliveredMessage) -> None:
    """Stand in for aiormq's callback: what is delivered goes to `on_delivery`."""
