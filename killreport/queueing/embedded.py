"""The message layer without RabbitMQ: the queues are tables of the database that is there anyway.

A publication is a commit. A consumer leases what it hands out and shows that it lives by a lock of its connection, so
a message comes back as soon as the server sees that connection end, and what was in hand over a restart of the server
stays in hand. Only publishing waits for the disk: a lease or an acknowledgement that a crash of the server undoes
means one more delivery, which a handler has to stand anyway.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace

from killreport.db.database import AWAY_ERRORS, Connection, Database
from killreport.errors import NotFound, Unavailable
from killreport.fleet.table import find_queue
from killreport.ids import read_whole
from killreport.queueing import embedded_letters as letters
from killreport.queueing import embedded_store as store
from killreport.queueing.broker import DeadLetter, Handler, Priority, QueueCounts, Waiting
from killreport.queueing.embedded_consumer import EmbeddedConsumer
from killreport.queueing.messages import Message, encode


class EmbeddedBroker:
    """The queues in the database; see `killreport.queueing.broker.Broker` for what each method does."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish_many(
        self, queue: str, messages: Sequence[Message], *, priority: Priority = Priority.BATCH
    ) -> None:
        """Publish all or none; returned, they are committed."""
        await self.publish_bodies(queue, [encode(message) for message in messages], priority=priority)

    async def publish_bodies(self, queue: str, bodies: Sequence[bytes], *, priority: Priority = Priority.BATCH) -> None:
        """Publish all or none; returned, they are committed."""
        async with self._connection_for(queue) as connection, connection.transaction():
            await store.insert_messages(connection, queue, bodies, priority)

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
        """Hand messages to the handler until told to stop, over a connection of its own."""
        row = find_queue(queue)
        row = row if attempts is None else replace(row, attempts=attempts)
        consumer = EmbeddedConsumer(self._database.url, row, handler, prefetch, stop, drain=drain)
        await consumer.run()

    async def counts(self, queue: str) -> QueueCounts:
        """Return how the queue stands, once what dead consumers left behind is back in it."""
        async with self._connection_for(queue) as connection:
            await store.return_lost(connection, queue)
            return await store.count(connection, queue)

    async def peek(self, queue: str, limit: int) -> list[Waiting]:
        """Return the first messages that wait."""
        async with self._connection_for(queue) as connection:
            return await store.list_waiting(connection, queue, limit)

    async def purge(self, queue: str) -> int:
        """Delete what waits."""
        async with self._connection_for(queue) as connection:
            await store.return_lost(connection, queue)
            return await store.delete_waiting(connection, queue)

    async def dead_list(self, queue: str, limit: int) -> list[DeadLetter]:
        """Return dead letters, the newest first."""
        async with self._connection_for(queue) as connection:
            return await letters.list_letters(connection, queue, limit)

    async def dead_retry(self, queue: str, letter_ids: Sequence[str] | None = None) -> int:
        """Publish dead letters again."""
        async with self._connection_for(queue) as connection:
            return await letters.retry_letters(connection, queue, _as_numbers(letter_ids))

    async def dead_drop(self, queue: str, letter_ids: Sequence[str] | None = None) -> int:
        """Delete dead letters."""
        async with self._connection_for(queue) as connection:
            return await letters.drop_letters(connection, queue, _as_numbers(letter_ids))

    @asynccontextmanager
    async def _connection_for(self, queue: str) -> AsyncIterator[Connection]:
        find_queue(queue)
        try:
            async with self._database.connection() as connection:
                yield connection
        except AWAY_ERRORS as error:
            raise Unavailable(f"The queues are not reachable, PostgreSQL does not answer: {error}") from error


def _as_numbers(letter_ids: Sequence[str] | None) -> list[int] | None:
    """Return the numbers that name dead letters here. Raises NotFound for what cannot be one."""
    if letter_ids is None:
        return None
    numbers = []
    for letter_id in letter_ids:
        number = read_whole(letter_id)
        if number is None:
            raise NotFound(f"There is no dead letter {letter_id[:40]}.")
        numbers.append(number)
    return numbers
