"""Being the only one: a lock in the database that lasts as long as a connection of its own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from killreport.db.database import CONNECT_ERRORS, Database
from killreport.errors import Conflict, Unavailable

CLOSE_SECONDS = 5.0


@asynccontextmanager
async def hold_lock(database: Database, name: str) -> AsyncIterator[asyncio.Event]:
    """Hold the database-wide lock of that name during the block, and lend an event that is set if it is lost.

    It is lost with its connection, for instance when the server restarts: somebody else may have it from then on, so
    the holder should stop and start over. Raises Conflict where somebody else holds it, Unavailable where the database
    does not answer.
    """
    lost = asyncio.Event()
    try:
        connection = await asyncpg.connect(database.url, server_settings={"application_name": f"lock {name}"})
    except (*CONNECT_ERRORS, asyncpg.PostgresError) as error:
        raise Unavailable(f"PostgreSQL does not answer: {error}") from error
    try:
        connection.add_termination_listener(lambda _connection: lost.set())
        if not await connection.fetchval("select pg_try_advisory_lock(hashtextextended($1, 0))", name):
            raise Conflict(f"{name} runs already on this database.")
        yield lost
        if not lost.is_set():
            # Said aloud, so that the next holder need not wait for the server to notice that the connection is gone.
            await connection.close(timeout=CLOSE_SECONDS)
    finally:
        connection.terminate()
