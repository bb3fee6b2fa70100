"""The message layer for a command that asks it once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from killreport.cli.context import with_database

if TYPE_CHECKING:
    from killreport.config import Settings
    from killreport.db.database import Database
    from killreport.queueing.broker import Broker

# Somebody waits at the terminal; a worker waits longer for a broker that restarts.
PATIENCE_SECONDS = 10.0

_RESULT = TypeVar("_RESULT")


def with_broker(work: Callable[[Broker], Awaitable[_RESULT]]) -> _RESULT:
    """Do the work with the message layer of this installation and return what it returns."""

    async def run(settings: Settings, database: Database) -> _RESULT:
        from killreport.queueing.open import open_broker

        async with open_broker(settings, database, patience_seconds=PATIENCE_SECONDS) as broker:
            return await work(broker)

    return with_database("queue", run)
