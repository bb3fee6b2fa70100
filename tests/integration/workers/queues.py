"""Queue workers run to the end of their queue, in this process or as processes of their own."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from importlib import import_module
from typing import Any

import aiohttp

from killreport.config import Settings
from killreport.db.database import Database
from killreport.environment import child_environment
from killreport.fleet.entries import entry_of
from killreport.fleet.table import QUEUES, find_process, find_queue
from killreport.queueing.broker import DeadLetter, Priority
from killreport.queueing.messages import QUEUE_OF, Message
from killreport.queueing.open import open_broker

PATIENCE_SECONDS = 60
QUEUE_NAMES = tuple(str(row.queue) for row in QUEUES)


async def publish(
    settings: Settings, database: Database, *messages: Message, priority: Priority = Priority.BATCH
) -> None:
    """Put messages on the queues they belong to."""
    async with open_broker(settings, database) as broker:
        for message in messages:
            await broker.publish_many(QUEUE_OF[type(message)], [message], priority=priority)


async def drain(settings: Settings, database: Database, name: str, **arguments: Any) -> None:
    """Run the worker of that name until its queue is empty."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        module, function = entry_of(find_process(name))
        await getattr(import_module(module), function)(settings, database, stop=asyncio.Event(), once=True, **arguments)


async def drain_all(settings: Settings, database: Database) -> None:
    """Run the workers of entities until none of them has anything left to do."""
    async with open_broker(settings, database) as broker:
        while True:
            waiting = [queue for queue in QUEUE_NAMES if (await broker.counts(queue)).ready]
            if not waiting:
                return
            for queue in waiting:
                await drain(settings, database, find_queue(queue).name)


async def ready_counts(settings: Settings, database: Database) -> dict[str, int]:
    """Return how many messages wait in each queue that has any."""
    async with open_broker(settings, database) as broker:
        counts = {queue: await broker.counts(queue) for queue in QUEUE_NAMES}
    return {queue: count.ready + count.delayed for queue, count in counts.items() if count.ready + count.delayed}


async def dead_letters(settings: Settings, database: Database, queue: str) -> Sequence[DeadLetter]:
    """Return the dead letters of a queue."""
    async with open_broker(settings, database) as broker:
        return await broker.dead_list(queue, 100)


async def fetch(database: Database, query: str, *arguments: object) -> list[tuple[Any, ...]]:
    """Return rows as tuples."""
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query, *arguments)]


async def eventually(what: Callable[[], Awaitable[object]]) -> None:
    """Ask until the answer is neither empty nor zero. Fails after a minute."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while not await what():
        assert asyncio.get_running_loop().time() < deadline, "it did not come to be so"
        await asyncio.sleep(0.02)


async def requests_by_route(url: str) -> dict[str, int]:
    """Return how often each route of the simulator was asked."""
    async with aiohttp.ClientSession() as session, session.get(f"{url}/control/status") as response:
        found: dict[str, int] = (await response.json())["requests_by_route"]
        return found


async def post(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    """Tell the simulator something."""
    async with aiohttp.ClientSession() as session, session.post(f"{url}{path}", json=body) as response:
        answer: dict[str, Any] = await response.json()
        assert response.status < 300, answer
        return answer


@asynccontextmanager
async def process(settings: Settings, name: str, *options: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run a worker as a process; whatever is left of it at the block's end is killed."""
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killreport", "run", name, *options),
        env=child_environment(settings, KILLREPORT_LOG_FORMAT="json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        yield running
    finally:
        with contextlib.suppress(ProcessLookupError):
            running.send_signal(signal.SIGKILL)
        await running.communicate()
