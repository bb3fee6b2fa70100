"""Being the only one of a worker on a database, for those of which the fleet table says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from killreport.coordination.single_instance import hold_lock
from killreport.db.database import Database
from killreport.errors import Conflict

# The database needs a moment to notice that the holder before us was killed.
LOCK_TRIES = 10
PAUSE_SECONDS = 0.5


@asynccontextmanager
async def hold_lock_soon(database: Database, name: str) -> AsyncIterator[asyncio.Event]:
    """Hold the worker's lock as `hold_lock` does, allowing a holder that was killed a moment to be noticed."""
    async with AsyncExitStack() as stack:
        for tries_left in reversed(range(LOCK_TRIES)):
            try:
                lost = await stack.enter_async_context(hold_lock(database, name))
                break
            except Conflict:
                if not tries_left:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        yield lost
