"""A database: where it is, and a pool of connections to it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from killreport.config import Settings
from killreport.db.embedded import use_embedded_server
from killreport.errors import Unavailable

# asyncpg ships no usable types; a connection from a pool is a proxy of a Connection.
Connection = Any

# What asyncpg raises when there is no connection, or it broke; the internal error when that was between two messages.
CONNECT_ERRORS = (
    *(OSError, asyncpg.PostgresConnectionError, asyncpg.CannotConnectNowError, asyncpg.AdminShutdownError),
    *(asyncpg.CrashShutdownError, asyncpg.InterfaceError, asyncpg.InternalClientError),
)
# Everything a statement can fail with, for those who wait and try again.
DATABASE_ERRORS = (*CONNECT_ERRORS, asyncpg.PostgresError)
# What can be a refusal: see `is_refusal`. COPY has the driver's own errors come out as they are.
REFUSALS = (asyncpg.PostgresError, ValueError, OverflowError)
# SQLSTATE classes that mean the values are at fault, not the database: data exception, constraint violation, limit
# exceeded.
_REFUSING_CLASSES = ("22", "23", "54")


def is_refusal(error: BaseException) -> bool:
    """Return whether the database, or its driver before it, says no to these values, whoever sends them whenever."""
    sqlstate = getattr(error, "sqlstate", None)
    return isinstance(error, REFUSALS) and (sqlstate is None or str(sqlstate)[:2] in _REFUSING_CLASSES)


class Database:
    """A pool of connections to one database, with `url` for what needs a connection of its own (LISTEN, psql)."""

    def __init__(self, url: str, pool: Any) -> None:
        self.url = url
        self.pool = pool

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection, outside a transaction."""
        async with self.pool.acquire() as connection:
            yield connection

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction that commits when the block ends and rolls back when it raises."""
        async with self.pool.acquire() as connection, connection.transaction():
            yield connection


async def _keep_session(_connection: Connection) -> None:
    """Skip the pool's RESET, a second round trip for every query; this is why no session state is allowed."""


@asynccontextmanager
async def open_database(settings: Settings, *, process: str = "killreport") -> AsyncIterator[Database]:
    """Lend the configured database; where none is configured, start the embedded server or join the running one.

    process: shown by PostgreSQL as application_name. Raises Unavailable with a sentence that names no password.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        async with open_pool(url, settings.database_pool_size, process) as database:
            yield database
        return
    async with (
        use_embedded_server(settings.home) as url,
        open_pool(url, settings.database_pool_size, process) as database,
    ):
        yield database


@asynccontextmanager
async def open_pool(url: str, size: int, process: str) -> AsyncIterator[Database]:
    """Lend a pool of up to `size` connections to the database at `url`. Raises Unavailable."""
    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            reset=_keep_session,
            server_settings={"application_name": process, "timezone": "UTC", "jit": "off"},
        )
        async with pool.acquire() as connection:
            await connection.fetchval("select 1")
    except (*CONNECT_ERRORS, asyncpg.PostgresError) as error:
        raise Unavailable(f"PostgreSQL does not answer: {error}") from error
    try:
        yield Database(url, pool)
    finally:
        await pool.close()
