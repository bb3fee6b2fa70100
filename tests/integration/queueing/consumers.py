"""Consumers beside a test, and waiting for what they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from killreport.queueing.broker import Broker, Delivery, Handler
from killreport.queueing.messages import CharacterMessage, Message

QUEUE = "esi_character_info_queue"
OTHER_QUEUE = "esi_type_info_queue"
PATIENCE_SECONDS = 30.0
POLL_SECONDS = 0.01


def character(number: int) -> CharacterMessage:
    """Return a message about a character of that number."""
    return CharacterMessage(90_000_000 + number)


def characters(*numbers: int) -> list[CharacterMessage]:
    """Return a message about each."""
    return [character(number) for number in numbers]


def number_of(message: Message) -> int:
    """Return the number `character` was given."""
    assert isinstance(message, CharacterMessage)
    return message.character_id - 90_000_000


class Recorder:
    """A handler that notes what it is given and does as it is told: return, fail, or wait until released."""

    def __init__(self, *errors: Exception, holds: bool = False) -> None:
        self._errors = list(errors)
        self.numbers: list[int] = []
        self.deliveries: list[Delivery] = []
        self.finished: list[int] = []
        self.in_hand = 0
        self.most_in_hand = 0
        self.released = asyncio.Event()
        if not holds:
            self.released.set()
        self._grown = asyncio.Event()

    async def __call__(self, message: Message, delivery: Delivery) -> None:
        """Handle one message."""
        self.numbers.append(number_of(message))
        self.deliveries.append(delivery)
        self.in_hand += 1
        self.most_in_hand = max(self.in_hand, self.most_in_hand)
        self._grown.set()
        try:
            await self.released.wait()
            if self._errors:
                raise self._errors.pop(0)
        finally:
            self.in_hand -= 1
        self.finished.append(number_of(message))
        self._grown.set()

    async def until(self, is_so: Callable[[], bool]) -> None:
        """Return as soon as something holds, looking whenever a message came or was finished."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            while not is_so():
                self._grown.clear()
                await self._grown.wait()

    async def seen(self, count: int) -> None:
        """Return once so many messages were handed over."""
        await self.until(lambda: len(self.numbers) >= count)


async def until(is_so: Callable[[], Awaitable[bool]]) -> None:
    """Return as soon as something holds that can only be asked for."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not await is_so():  # noqa: ASYNC110 - it is the broker, not this loop, that changes
            await asyncio.sleep(POLL_SECONDS)


async def until_gone(broker: Broker, queue: str = QUEUE) -> None:
    """Return once the queue holds nothing but dead letters, in hand or waiting."""

    async def is_gone() -> bool:
        counts = await broker.counts(queue)
        return counts.ready + counts.delayed + (counts.unacked or 0) == 0

    await until(is_gone)


@asynccontextmanager
async def consuming(
    broker: Broker, handler: Handler, *, queue: str = QUEUE, prefetch: int = 10, attempts: int | None = None
) -> AsyncIterator[asyncio.Task[None]]:
    """Consume during a block; at its end the consumer is told to stop, and must."""
    stop = asyncio.Event()
    task = asyncio.create_task(broker.consume(queue, handler, prefetch=prefetch, attempts=attempts, stop=stop))
    try:
        yield task
    finally:
        stop.set()
        done, _ = await asyncio.wait([task], timeout=PATIENCE_SECONDS)
        if not done:
            task.cancel()
            await asyncio.wait([task])
            raise AssertionError("the consumer did not stop")
    task.result()


async def drain(broker: Broker, handler: Handler, *, queue: str = QUEUE, prefetch: int = 10) -> None:
    """Consume until nothing is ready and nothing in hand."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        await broker.consume(queue, handler, prefetch=prefetch, stop=asyncio.Event(), drain=True)
