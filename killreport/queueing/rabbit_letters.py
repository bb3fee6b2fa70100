"""What an operator does with the messages of a queue without consuming it.

RabbitMQ shows a message only to who takes it: each look takes messages, and they go back to their places when the
channel is closed.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from datetime import datetime

from pamqp.commands import Basic

from killreport.clock import utc_now
from killreport.errors import NotFound
from killreport.queueing.broker import DeadLetter, Priority, Waiting
from killreport.queueing.rabbit_channel import Channel, Received
from killreport.queueing.rabbit_envelope import Envelope, letter_id_of, read_envelope
from killreport.queueing.rabbit_publish import Publisher
from killreport.queueing.rabbit_topology import Topology

_LETTER_ID = re.compile(r"[0-9a-f]{16}")


async def oldest_of(channel: Channel, names: Sequence[str]) -> datetime | None:
    """Return when the oldest of the queues' first messages was published."""
    firsts = [message for name in names for message in await _take(channel, [name], 1)]
    instants = (read_envelope(message.properties).published_at for message in firsts)
    return min((instant for instant in instants if instant is not None), default=None)


async def list_waiting(channel: Channel, topology: Topology, limit: int) -> list[Waiting]:
    """Return what is ready as it will be handed out, then the retries one may look at, as they come due."""
    ready = await _take(channel, topology.lanes[::-1], limit)
    retries = await _take(channel, topology.visible_retries, limit - len(ready))
    found = [(message.body, read_envelope(message.properties)) for message in ready]
    dated = [(message.body, read_envelope(message.properties)) for message in retries]
    found += sorted(dated, key=lambda pair: pair[1].due_at or utc_now())
    return [Waiting(body, envelope.priority, envelope.attempt, envelope.published_at) for body, envelope in found]


async def list_letters(channel: Channel, topology: Topology, limit: int) -> list[DeadLetter]:
    """Return dead letters, the newest first."""
    messages = await _take_letters(channel, topology)
    return [_letter(topology, message) for message in reversed(messages[-limit:] if limit > 0 else [])]


async def drop_letters(
    channel: Channel, topology: Topology, letter_ids: Collection[str] | None, publisher: Publisher | None = None
) -> int:
    """Throw dead letters away and return how many.

    publisher: publishes them again before that as new messages, the oldest first.
    """
    for letter_id in letter_ids or ():
        if not _LETTER_ID.fullmatch(letter_id):
            raise NotFound(f"There is no dead letter {letter_id}.")
    messages = await _take_letters(channel, topology)
    chosen = [message for message in messages if letter_ids is None or _letter_id(message) in letter_ids]
    if publisher is not None:
        by_priority: dict[Priority, list[bytes]] = {}
        for message in chosen:
            by_priority.setdefault(read_envelope(message.properties).priority, []).append(message.body)
        for priority, bodies in by_priority.items():
            properties = Envelope(priority=priority, published_at=utc_now()).properties()
            await publisher.publish(topology, topology.lane(priority), properties, bodies)
    for message in chosen:
        channel.send(Basic.Ack(message.tag))
    return len(chosen)


async def _take(channel: Channel, names: Sequence[str], limit: int | None = None) -> list[Received]:
    """Take the first messages of the queues, in their order."""
    taken: list[Received] = []
    for name in names:
        while limit is None or len(taken) < limit:
            message = await channel.get(name)
            if message is None:
                break
            taken.append(message)
    return taken


async def _take_letters(channel: Channel, topology: Topology) -> list[Received]:
    """Take the dead letters, the oldest first; of those a crash put there twice the copies are thrown away."""
    letters: dict[tuple[str | int, bytes], Received] = {}
    for message in await _take(channel, [topology.dead]):
        # What others put there has no id, or one that means something else: nothing is a copy by its id alone.
        letter_id = read_envelope(message.properties).letter_id or message.tag
        if letters.setdefault((letter_id, message.body), message) is not message:
            channel.send(Basic.Ack(message.tag))
    return list(letters.values())


def _letter(topology: Topology, message: Received) -> DeadLetter:
    envelope = read_envelope(message.properties)
    return DeadLetter(
        letter_id=_letter_id(message),
        queue=topology.queue,
        body=message.body,
        reason=envelope.reason or "put here by somebody else",
        attempts=envelope.attempt,
        published_at=envelope.published_at,
        died_at=envelope.died_at,
    )


def _letter_id(message: Received) -> str:
    """Return its id; of what others put there, one made from its body."""
    letter_id = read_envelope(message.properties).letter_id or ""
    return letter_id if _LETTER_ID.fullmatch(letter_id) else letter_id_of(message.body)
