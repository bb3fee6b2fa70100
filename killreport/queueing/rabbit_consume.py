"""The one consumer loop on RabbitMQ."""

from __future__ import annotations

import asyncio
import itertools
from collections import defaultdict
from dataclasses import dataclass, replace
from typing import assert_never

import structlog
from pamqp.commands import Basic
from yarl import URL

from killreport.background import racing, wait_or_end
from killreport.clock import utc_now
from killreport.errors import Unavailable
from killreport.queueing.broker import Handler
from killreport.queueing.handling import Absence, Again, Back, Dead, Done, Outcome, handle
from killreport.queueing.rabbit_channel import Channel, Lost, Received
from killreport.queueing.rabbit_envelope import Envelope, read_envelope
from killreport.queueing.rabbit_link import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS
from killreport.queueing.rabbit_publish import Publisher
from killreport.queueing.rabbit_session import Session, attached
from killreport.queueing.rabbit_topology import Topology

# A queue that is drained is asked so often whether it is empty.
DRAIN_LOOK_SECONDS = 0.02
# Before every message: tells a place to finish.
_END_RANK = -100

log = structlog.get_logger()


@dataclass(frozen=True, eq=False, slots=True)
class _Delivered:
    """A message in this consumer's hands. lane: which it came by."""

    channel: Channel
    tag: int
    lane: str
    came_back: bool
    envelope: Envelope
    body: bytes

    @property
    def key(self) -> tuple[bytes, Envelope]:
        """Return what it has in common with itself when it is delivered again."""
        return self.body, self.envelope

    def acknowledge(self) -> None:
        """Tell RabbitMQ that it is done with. Only on the channel it came by: tags begin anew on each."""
        self.channel.send(Basic.Ack(self.tag))


class RabbitConsumer:
    """Hands messages of one queue to a handler, `prefetch` at once, until told to stop.

    When a session is lost, what is in hand finishes before the next one begins. An outcome that came too late for its
    channel is kept and applied when RabbitMQ delivers the message again.
    """

    def __init__(
        self,
        url: URL,
        publisher: Publisher,
        topology: Topology,
        handler: Handler,
        *,
        prefetch: int,
        stop: asyncio.Event,
    ) -> None:
        self._url = url
        self._publisher = publisher
        self._topology = topology
        self._handler = handler
        self._prefetch = prefetch
        self._stop = stop
        self._numbers = itertools.count()
        self._absence = Absence()
        self._inbox: asyncio.PriorityQueue[tuple[int, int, _Delivered | None]] = asyncio.PriorityQueue()
        self._in_hand = 0
        self._ended = asyncio.Event()
        self._late: defaultdict[tuple[bytes, Envelope], list[Outcome]] = defaultdict(list)

    async def run(self, *, drain: bool) -> None:
        """Consume until told to stop or, draining, until nothing is left. Cancelled, it gives back what is in hand."""
        pause = FIRST_PAUSE_SECONDS
        while not self._stop.is_set():
            try:
                async with attached(self._url, self._topology, self._prefetch, self._receive) as session:
                    pause = FIRST_PAUSE_SECONDS
                    if await self._work(session, drain=drain):
                        return
            except (Lost, Unavailable) as error:
                if self._stop.is_set():
                    return
                log.warning("queue_attach_failed", queue=self._topology.queue, reason=str(error), retry_seconds=pause)
            await wait_or_end(self._stop, pause)
            pause = min(pause * 2, MAX_PAUSE_SECONDS)

    async def _work(self, session: Session, *, drain: bool) -> bool:
        """Work through a session; return whether that was all, and False when it was lost."""
        self._ended.clear()
        drained = [self._until_drained(session)] if drain else []
        async with (
            racing(*(self._occupy_place(session, drain=drain) for _ in range(self._prefetch))) as places,
            racing(session.watch(), self._stop.wait(), *drained) as ends,
        ):
            # A place ends by itself only when something is wrong with it.
            await asyncio.wait([*places, *ends], return_when=asyncio.FIRST_COMPLETED)
            is_over = any(end.done() and end.exception() is None for end in ends[1:])
            if not is_over:
                log.warning("queue_connection_lost", queue=self._topology.queue, in_hand=self._in_hand)
            await session.stop_deliveries()
            self._late.clear()
            while not self._inbox.empty():
                if (unhandled := self._inbox.get_nowait()[2]) is not None:
                    unhandled.channel.send(Basic.Nack(unhandled.tag, requeue=True))
            self._ended.set()
            for _ in places:
                self._inbox.put_nowait((_END_RANK, next(self._numbers), None))
            await asyncio.gather(*places)
            for end in ends:
                if end.done() and not isinstance(failure := end.exception(), Lost | Unavailable | None):
                    raise failure  # of nothing that a new session would mend
            return is_over

    def _is_idle(self) -> bool:
        return self._inbox.empty() and not self._in_hand

    def _receive(self, channel: Channel, message: Received) -> None:
        assert isinstance(message.method, Basic.Deliver)
        envelope = read_envelope(message.properties)
        # The count is there on quorum queues, whose flag is not set when a message comes back from a lost node.
        came_back = bool(message.method.redelivered or (message.properties.headers or {}).get("x-delivery-count"))
        lane = str(message.method.consumer_tag)
        delivered = _Delivered(channel, message.tag, lane, came_back, envelope, message.body)
        self._inbox.put_nowait((-envelope.priority, next(self._numbers), delivered))

    async def _occupy_place(self, session: Session, *, drain: bool) -> None:
        while (delivered := (await self._inbox.get())[2]) is not None:
            self._in_hand += 1
            outcome = await self._deal_with(session, delivered)
            self._in_hand -= 1
            # Who drains is done when nothing is ready: it leaves what must wait, and waits for nobody.
            if isinstance(outcome, Back) and not drain:
                await wait_or_end(self._ended, outcome.delay.total_seconds())

    async def _deal_with(self, session: Session, delivered: _Delivered) -> Outcome:
        envelope = delivered.envelope
        lane = self._topology.lane(envelope.priority)
        if delivered.came_back and self._late.get(delivered.key):
            outcome = self._late[delivered.key].pop()
            await self._settle(delivered, outcome)
            return outcome
        was_lost = delivered.came_back and await session.was_somebody_lost()
        if was_lost or delivered.lane != lane:
            # Written down, since RabbitMQ does not count, or to the lane it belongs in, coming from a retry.
            moved = replace(envelope, losses=envelope.losses + was_lost, due_at=None)
            await self._move(delivered, lane, moved.properties())
            return Done()
        outcome = await handle(
            *(self._topology.row, delivered.body, envelope.delivery(self._topology.queue), self._handler),
            absence=self._absence,
        )
        await self._settle(delivered, outcome)
        return outcome

    async def _settle(self, delivered: _Delivered, outcome: Outcome) -> None:
        if not delivered.channel.is_open:
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
                await self._move(delivered, address, retry.properties(expires=delay))
            case Dead(reason):
                letter = envelope.letter(delivered.body, reason, utc_now())
                await self._move(delivered, self._topology.dead, letter.properties())
            case _:
                assert_never(outcome)

    async def _move(self, delivered: _Delivered, address: str, properties: Basic.Properties) -> None:
        """Publish it elsewhere, and acknowledge it where it was only when that is confirmed."""
        while True:
            try:
                await self._publisher.publish(self._topology, address, properties, [delivered.body])
                break
            except Unavailable as error:
                # A RabbitMQ without memory or disk takes no publications. The message stays in hand meanwhile.
                log.warning("queue_move_failed", queue=address, reason=str(error))
                if not delivered.channel.is_open or self._stop.is_set():
                    return
        await self._settle(delivered, Done())

    async def _until_drained(self, session: Session) -> None:
        """Return when nothing is ready and nothing in hand, twice in a row: a delivery may be under way."""
        quiet_since: int | None = None
        while True:
            number = next(self._numbers)
            is_quiet = self._is_idle() and (await session.look())[0] == 0 and self._is_idle()
            if is_quiet and quiet_since == number - 1:
                return
            quiet_since = number if is_quiet else None
            if not is_quiet:
                await asyncio.sleep(DRAIN_LOOK_SECONDS)
