"""What every transport offers; the conformance suite says the rest."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from typing import Protocol

from killreport.queueing.messages import Message


class Priority(IntEnum):
    """Who waits for a message. A higher one overtakes everything lower that is still in the queue."""

    BATCH = 0  # a job's thousands
    SEEN = 1  # somebody on a killmail just stored
    PERSON = 2  # a person looks at the page


@dataclass(frozen=True, slots=True)
class Delivery:
    """How a message came to its handler. attempt: from 1; interrupted ones (a crash, a lost connection) do not count.

    published_at: aware, UTC; None where the transport was not told. losses: how often it vanished with its handler.
    """

    queue: str
    attempt: int
    priority: Priority
    published_at: datetime | None
    losses: int = 0


Handler = Callable[[Message, Delivery], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class QueueCounts:
    """How many messages of a queue are where, and who works on it.

    ready: waiting, those that wait for their next attempt apart in delayed. unacked: in a handler's hands. None:
    the transport cannot tell. oldest: when the message that waits longest was published, as far as it can be told.
    """

    queue: str
    ready: int
    delayed: int
    unacked: int | None
    consumers: int
    dead: int
    oldest: datetime | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A message that waits in its queue."""

    body: bytes
    priority: Priority
    attempt: int
    published_at: datetime | None


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message that was given up, with the reason. letter_id: names it towards `dead_retry` and `dead_drop`."""

    letter_id: str
    queue: str
    body: bytes
    reason: str
    attempts: int
    published_at: datetime | None
    died_at: datetime | None


class Broker(Protocol):
    """One connection to the message layer. Queues are named as in the fleet table; others raise NotFound.

    Everything raises Unavailable where the transport does not answer.
    """

    async def publish_many(
        self, queue: str, messages: Sequence[Message], *, priority: Priority = Priority.BATCH
    ) -> None:
        """Publish all; return when the transport confirmed that each is safe. Raises: some may be published then."""

    async def publish_bodies(self, queue: str, bodies: Sequence[bytes], *, priority: Priority = Priority.BATCH) -> None:
        """Publish bodies as they are, whatever they hold; otherwise as `publish_many`."""

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
        """Hand messages to the handler, up to `prefetch` at once, until `stop` is set; then let those in hand finish.

        drain: return as soon as nothing is ready and nothing in hand. A message is acknowledged when the handler
        returned. What the handler raises decides about it (`killreport.queueing.handling`): Unavailable, or a lost
        database: back, uncounted; Transient or anything unexpected: again later, counted; Malformed, Permanent,
        NotFound, Refused, Conflict, or too many attempts: a dead letter with the reason. attempts: how many those
        are; None: as the fleet table has it. Comes back by itself after
        the transport was lost.
        """

    async def counts(self, queue: str) -> QueueCounts:
        """Return how the queue stands."""

    async def peek(self, queue: str, limit: int) -> list[Waiting]:
        """Return the first messages that wait, in the order they would be handed out; takes none of them away."""

    async def purge(self, queue: str) -> int:
        """Throw away what waits, retries included, and return how many; dead letters and those in hand stay."""

    async def dead_list(self, queue: str, limit: int) -> list[DeadLetter]:
        """Return dead letters, the newest first."""

    async def dead_retry(self, queue: str, letter_ids: Sequence[str] | None = None) -> int:
        """Put dead letters (None: all) back into their queue as new messages and return how many."""

    async def dead_drop(self, queue: str, letter_ids: Sequence[str] | None = None) -> int:
        """Throw away dead letters (None: all) and return how many."""
