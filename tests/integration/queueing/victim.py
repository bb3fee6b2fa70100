"""A consumer in a process of its own, to be killed.

`python -m tests.integration.queueing.victim QUEUE PREFETCH PREFIX` says each message it was handed on a line of
stdout, then holds it for ever. Its settings come from the environment.
"""

from __future__ import annotations

import asyncio
import sys
from contextlib import AbstractAsyncContextManager

from killreport.config import Settings, load_settings
from killreport.db.database import Database, open_database
from killreport.logs import configure_logging
from killreport.queueing.broker import Broker, Delivery
from killreport.queueing.messages import Message, encode
from killreport.queueing.open import open_broker
from killreport.queueing.rabbit import open_rabbit

PATIENCE_SECONDS = 10.0


async def _hold(message: Message, _delivery: Delivery) -> None:
    print(encode(message).decode(), flush=True)
    await asyncio.Event().wait()


def open_place(settings: Settings, database: Database, prefix: str) -> AbstractAsyncContextManager[Broker]:
    """Open the queues the settings choose. prefix: of their names, where RabbitMQ is shared with others."""
    if prefix:
        return open_rabbit(settings, patience_seconds=PATIENCE_SECONDS, prefix=prefix)
    return open_broker(settings, database, patience_seconds=PATIENCE_SECONDS)


async def _consume(queue: str, prefetch: int, prefix: str) -> None:
    settings = load_settings().settings
    async with open_database(settings) as database, open_place(settings, database, prefix) as broker:
        await broker.consume(queue, _hold, prefetch=prefetch, stop=asyncio.Event())


if __name__ == "__main__":
    configure_logging("warning", "json")
    asyncio.run(_consume(sys.argv[1], int(sys.argv[2]), sys.argv[3]))
