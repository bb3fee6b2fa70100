"""The one consumer loop on RabbitMQ."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import assert_never

import structlog
from aiormq.abc import DeliveredMessage
from pamqp import commands

from killreport.background import wait_or_end
from killreport.clock import utc_now
from killreport.errors import Unavailable
from killreport.queueing.broker import Handler
from killreport.queueing.handling import Absence, Again, Back, Dead, Done, Outcome, handle
from killreport.queueing.rabbit_channel import FastChannel
from killreport.queueing.rabbit_envelope import Envelope, read_envelope
from killreport.queueing.rabbit_link import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS, Link, Lost
from killreport.queueing.rabbit_publish import Publisher
from killreport.queueing.rabbit_session import Session
from killreport.queueing.rabbit_topology import Topology

# A queue that is drained is asked so often whether it is empty.
DRAIN_LOOK_SECONDS = 0.02
# Before every message: tells a place to finish.
_END_RANK = -100

log = structlog.get_logger()

Key = tuple[bytes, Envelope]


@dataclass(frozen=True, eq=False, slots=True)
class _Delivered:
    """A message in this consumer's hands."""

    channel: FastChannel
    tag: int
    lane: str
    came_back: bool
    envelope: Envelope
    body: bytes

    @property
    def key(self) -> Key:
        """Return what it has in common with itself when it is delivered again."""
        return self.body, self.envelope

    def acknowledge(self) -> None:
        """Tell RabbitMQ that it is done with. Only on the channel it came by: tags begin anew on each."""
        self.channel.answer(commands.Basic.Ack(self.tag))

    def give_back(self) -> None:
        """Let RabbitMQ put it back to its place in the queue."""
        self.channel.answer(commands.Basic.Nack(self.tag, requeue=True))


class RabbitConsumer:
    """Hands messages of one queue to a handler, `prefetch` at once, until told to stop.

    When a session is lost, what is in hand finishes before the next one begins. An outcome that came too late for its
    channel is kept and applied when RabbitMQ delivers the message again.
    """

    def __init__(
        self,
        link: Link,
        publisher: Publisher,
        topology: Topology,
        handler: Handler,
        *,
        prefetch: int,
        stop: asyncio.Event,
    ) -> None:
        self._link = link
        self._publisher = publisher
        self._topology = topology
        self._handler = handler
        self._prefetch = prefetch
        self._stop = stop
        self._session = Session(link, topology, prefetch)
        self._numbers = itertools.count()
        self._absence = Absence()
        self._inbox: asyncio.PriorityQueue[tuple[int, int, _Delivered | None]] = asyncio.PriorityQueue()
        self._in_hand: set[_Delivered] = set()
        self._ended = asyncio.Event()
        self._late: defaultdict[Key, list[Outcome]] = defaultdict(list)

    async def run(self, *, drain: bool) -> None:
        """Consume until told to stop or, draining, until nothing is left. Cancelled, it gives back what is in hand."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                try:
                    await self._session.attach(self._receive)
                    pause = FIRST_PAUSE_SECONDS
                    if await self._work(drain=drain):
                        return
                finally:
                    await self._session.leave()
            except (Lost, Unavailable) as error:
                if self._stop.is_set():
                    return
                log.warning("queue_attach_failed", queue=self._topology.queue, reason=str(error), retry_seconds=pause)
            await wait_or_end(self._stop, pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _work(self, *, drain: bool) -> bool:
        """Work through a session; return whether that was all, and False when it was lost."""
        self._ended.clear()
        places = [asyncio.create_task(self._occupy_place(drain=drain)) for _ in range(self._prefetch)]
        stopped = asyncio.create_task(self._stop.wait())
        drained = [asyncio.create_task(self._until_drained())] if drain else []
        ends = [stopped, asyncio.create_task(self._session.watch()), *drained]
        try:
            # A place ends by itself only when something is wrong with it.
            await asyncio.wait([*places, *ends], return_when=asyncio.FIRST_COMPLETED)
            is_over = any(end.done() and end.exception() is None for end in (stopped, *drained))
            if not is_over:
                log.warning("queue_connection_lost", queue=self._topology.queue, in_hand=len(self._in_hand))
            await self._session.stop_deliveries()
            self._late.clear()
            self._give_back_unhandled()
            self._ended.set()
            for _ in places:
                self._inbox.put_nowait((_END_RANK, next(self._numbers), None))
            await asyncio.gather(*places)
            for end in ends:
                if end.done() and not isinstance(failure := end.exception(), Lost | Unavailable | None):
                    raise failure  # of nothing that a new session would mend
            return is_over
        finally:
            for task in (*places, *ends):
                task.cancel()
            await asyncio.gather(*places, *ends, return_exceptions=True)
            self._give_back_unhandled()
            for delivered in self._in_hand:
                delivered.give_back()
            self._in_hand.clear()

    def _is_idle(self) -> bool:
        return self._inbox.empty() and not self._in_hand

    def _receive(self, channel: FastChannel, lane: str, message: DeliveredMessage) -> None:
        properties = message.header.properties
        envelope = read_envelope(properties)
        # The count is there on quorum queues, whose flag is not set when a message comes back from a lost node.
        came_back = bool(message.redelivered or (properties.headers or {}).get("x-delivery-count"))
        delivered = _Delivered(channel, message.delivery_tag or 0, lane, came_back, envelope, message.body)
        self._inbox.put_nowait((-envelope.priority, next(self._numbers), delivered))

    def _give_back_unhandled(self) -> None:
        while not self._inbox.empty():
            delivered = self._inbox.get_nowait()[2]
            if delivered is not None:
                delivered.give_back()

    async def _occupy_place(self, *, drain: bool) -> None:
        while (delivered := (await self._inbox.get())[2]) is not None:
            self._in_hand.add(delivered)
            outcome = await self._deal_with(delivered)
            self._in_hand.discard(delivered)
            # Who drains is done when nothing is ready: it leaves what must wait, and waits for nobody.
            if isinstance(outcome, Back) and not drain:
                await wait_or_end(self._ended, outcome.delay.total_seconds())

    async def _deal_with(self, delivered: _Delivered) -> Outcome:
        envelope = delivered.envelope
        lane = self._topology.lane(envelope.priority)
        if delivered.came_back and self._late.get(delivered.key):
            outcome = self._late[delivered.key].pop()
            await self._settle(delivered, outcome)
            return outcome
        was_lost = delivered.came_back and await self._session.was_somebody_lost()
        if was_lost or delivered.lane != lane:
            # Written down, since RabbitMQ does not count, or to the lane it belongs in, coming from a retry.
            await self._move(delivered, lane, replace(envelope, losses=envelope.losses + was_lost, due_at=None))
            return Done()
        outcome = await handle(
            *(self._topology.row, delivered.body, envelope.delivery(self._topology.queue), self._handler),
            absence=self._absence,
        )
        await self._settle(delivered, outcome)
        return outcome

    async def _settle(self, delivered: _Delivered, outcome: Outcome) -> None:
        if delivered.channel.is_closed:
            # Without the instant it was published it cannot be told from others that say the same.
            if delivered.envelope.published_at is not None:
                self._late[delivered.key].append(outcome)
            return
        envelope = delivered.envelope
        match outcome:
            case Done():
                delivered.acknowledge()
            case Back(delay, _) | Again(delay, _):
                attempt = envelope.attempt + isinstance(outcome, Again)
                address = self._topology.retry(delay.total_seconds())
                retry = replace(envelope, attempt=attempt, due_at=utc_now() + delay)
                await self._move(delivered, address, retry, properties=retry.properties(expires=delay))
            case Dead(reason):
                letter = envelope.letter(delivered.body, reason, utc_now())
                await self._move(delivered, self._topology.dead, letter)
            case _:
                assert_never(outcome)

    async def _move(
        self,
        delivered: _Delivered,
        address: str,
        envelope: Envelope,
        *,
        properties: commands.Basic.Properties | None = None,
    ) -> None:
        """Publish it elsewhere, and acknowledge it where it was only when that is confirmed."""
        properties = properties or envelope.properties()
        while True:
            try:
                await self._publisher.publish(self._topology, address, properties, [delivered.body])
                break
            except Unavailable as error:
                # A RabbitMQ without memory or disk takes no publications. The message stays in hand meanwhile.
                log.warning("queue_move_failed", queue=address, reason=str(error))
                if delivered.channel.is_closed or self._stop.is_set():
                    return
        if delivered.channel.is_closed:
            self._late[delivered.key].append(Done())
        else:
            delivered.acknowledge()

    async def _until_drained(self) -> None:
        """Return when nothing is ready and nothing in hand, twice in a row: a delivery may be under way."""
        quiet_since: int | None = None
        while True:
            number = next(self._numbers)
            is_quiet = self._is_idle() and (await self._session.look()).ready == 0 and self._is_idle()
            if is_quiet and quiet_since == number - 1:
                return
            quiet_since = number if is_quiet else None
            if not is_quiet:
                await asyncio.sleep(DRAIN_LOOK_SECONDS)
