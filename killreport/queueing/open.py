"""Which transport: RabbitMQ where one is configured, else the tables in PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from killreport.config import Settings
from killreport.db.database import Database
from killreport.queueing.broker import Broker

PATIENCE_SECONDS = 60.0


@asynccontextmanager
async def open_broker(
    settings: Settings, database: Database, *, patience_seconds: float = PATIENCE_SECONDS
) -> AsyncIterator[Broker]:
    """Lend the message layer.

    patience_seconds: how long a RabbitMQ that does not answer is waited for, here and later. Raises Unavailable then.
    """
    if settings.broker_url is not None:
        # Imported here: a fleet without RabbitMQ does not pay for its client in every process.
        from killreport.queueing.rabbit import open_rabbit  # noqa: PLC0415

        async with open_rabbit(settings, patience_seconds=patience_seconds) as rabbit:
            yield rabbit
        return
    from killreport.queueing.embedded import EmbeddedBroker  # noqa: PLC0415

    yield EmbeddedBroker(database)
