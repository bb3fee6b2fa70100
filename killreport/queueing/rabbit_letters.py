"""What an operator does with the messages of a queue without consuming it.

RabbitMQ shows a message only to who takes it: each look takes messages and puts them back where they were.
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Collection, Sequence
from contextlib import asynccontextmanager
from datetime import datetime

from aiormq.abc import DeliveredMessage
from pamqp import commands

from killreport.clock import utc_now
from killreport.errors import NotFound
from killreport.queueing.broker import DeadLetter, Priority, Waiting
from killreport.queueing.rabbit_declare import ANSWER_SECONDS
from killreport.queueing.rabbit_envelope import Envelope, letter_id_of, read_envelope
from killreport.queueing.rabbit_link import Link
from killreport.queueing.rabbit_publish import Publisher
from killreport.queueing.rabbit_topology import Topology

_LETTER_ID = re.compile(r"[0-9a-f]{16}")


async def oldest_of(link: Link, names: Sequence[str]) -> datetime | None:
    """Return when the oldest of the queues' first messages was published."""
    instants = []
    for name in names:
        async with looking_at(link, [name], 1) as messages:
            instants += [read_envelope(message.header.properties).published_at for message in messages]
    return min((instant for instant in instants if instant is not None), default=None)


@asynccontextmanager
async def looking_at(link: Link, names: Sequence[str], limit: int | None) -> AsyncIterator[list[DeliveredMessage]]:
    """Lend the first messages of the queues, in their order; those not acknowledged go back to their places."""
    async with link.channel() as channel:
        taken: list[DeliveredMessage] = []
        for name in names:
            while limit is None or len(taken) < limit:
                message = await channel.basic_get(name, timeout=ANSWER_SECONDS)
                if isinstance(message.delivery, commands.Basic.GetEmpty):
                    break
                taken.append(message)
        try:
            yield taken
        finally:
            if taken:
                await channel.basic_nack(taken[-1].delivery_tag or 0, multiple=True, requeue=True, wait=False)


async def list_waiting(link: Link, topology: Topology, limit: int) -> list[Waiting]:
    """Return what is ready as it will be handed out, then the retries one may look at, as they come due."""
    async with looking_at(link, topology.lanes[::-1], limit) as messages:
        ready = [_waiting(message) for message in messages]
    async with looking_at(link, topology.visible_retries, limit - len(ready)) as messages:
        dated = [(read_envelope(message.header.properties).due_at or utc_now(), message) for message in messages]
    return ready + [_waiting(message) for _, message in sorted(dated, key=lambda pair: pair[0])]


@asynccontextmanager
async def _looking_at_letters(link: Link, topology: Topology) -> AsyncIterator[list[DeliveredMessage]]:
    """Lend the dead letters, the oldest first; of those a crash put there twice the copies are thrown away."""
    async with looking_at(link, [topology.dead], None) as messages:
        letters: dict[tuple[str | int | None, bytes], DeliveredMessage] = {}
        for message in messages:
            # What others put there has no id, or one that means something else: nothing is a copy by its id alone.
            letter_id = read_envelope(message.header.properties).letter_id or message.delivery_tag
            if letters.setdefault((letter_id, message.body), message) is not message:
                await _acknowledge(message)
        yield list(letters.values())


async def list_letters(link: Link, topology: Topology, limit: int) -> list[DeadLetter]:
    """Return dead letters, the newest first."""
    async with _looking_at_letters(link, topology) as messages:
        newest = messages[-limit:] if limit > 0 else []
        return [_letter(topology, message) for message in reversed(newest)]


async def retry_letters(
    link: Link, publisher: Publisher, topology: Topology, letter_ids: Collection[str] | None
) -> int:
    """Publish dead letters again as new messages, the oldest first; return how many."""
    _refuse_unlikely(letter_ids)
    async with _looking_at_letters(link, topology) as messages:
        chosen = _choose(messages, letter_ids)
        by_priority: dict[Priority, list[bytes]] = {}
        for message in chosen:
            by_priority.setdefault(read_envelope(message.header.properties).priority, []).append(message.body)
        for priority, bodies in by_priority.items():
            properties = Envelope(priority=priority, published_at=utc_now()).properties()
            await publisher.publish(topology, topology.lane(priority), properties, bodies)
        for message in chosen:
            await _acknowledge(message)
    return len(chosen)


async def drop_letters(link: Link, topology: Topology, letter_ids: Collection[str] | None) -> int:
    """Throw dead letters away; return how many."""
    _refuse_unlikely(letter_ids)
    async with _looking_at_letters(link, topology) as messages:
        chosen = _choose(messages, letter_ids)
        for message in chosen:
            await _acknowledge(message)
    return len(chosen)


def _choose(messages: Sequence[DeliveredMessage], letter_ids: Collection[str] | None) -> list[DeliveredMessage]:
    if letter_ids is None:
        return list(messages)
    wanted = set(letter_ids)
    return [message for message in messages if _letter_id(message) in wanted]


def _refuse_unlikely(letter_ids: Collection[str] | None) -> None:
    for letter_id in letter_ids or ():
        if not _LETTER_ID.fullmatch(letter_id):
            raise NotFound(f"There is no dead letter {letter_id}.")


async def _acknowledge(message: DeliveredMessage) -> None:
    await message.channel.basic_ack(message.delivery_tag or 0, wait=False)


def _waiting(message: DeliveredMessage) -> Waiting:
    envelope = read_envelope(message.header.properties)
    return Waiting(message.body, envelope.priority, envelope.attempt, envelope.published_at)


def _letter(topology: Topology, message: DeliveredMessage) -> DeadLetter:
    envelope = read_envelope(message.header.properties)
    return DeadLetter(
        letter_id=_letter_id(message),
        queue=topology.queue,
        body=message.body,
        reason=envelope.reason or "put here by somebody else",
        attempts=envelope.attempt,
        published_at=envelope.published_at,
        died_at=envelope.died_at,
    )


def _letter_id(message: DeliveredMessage) -> str:
    """Return its id; of what others put there, one made from its body."""
    letter_id = read_envelope(message.header.properties).letter_id or ""
    if _LETTER_ID.fullmatch(letter_id):
        return letter_id
    return letter_id_of(message.body)
