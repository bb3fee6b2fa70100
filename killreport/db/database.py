"""A database: where it is, and a pool of connections to it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from killreport.config import Settings
from killreport.db.connection import LONG_SECONDS, LOST_ERRORS, WRITE_SECONDS, LiveConnection, connect
from killreport.db.embedded import use_embedded_server
from killreport.db.pooler import refuse_pooler, refuse_shared_sessions
from killreport.errors import Unavailable

RELEASE_SECONDS = 5.0
# Of a process that ends: a statement of somebody who was cancelled may be on its way still.
CLOSE_SECONDS = 10.0

# asyncpg ships no usable types; a connection from a pool is a proxy of a Connection.
Connection = Any

# Not the fault of what was asked, and no better for asking again at once: there is no connection or it broke, nobody is
# let in (a password being changed, a database being moved: 55000), the server stops or stopped the statement (57), has
# no memory, disk or place left (53), fails to read its files (58), is a standby or set to read-only (25006), ended what
# took long (25P03, 25P04), or put others first (deadlock and the like 40, locks 55P03 and 55006); or the tables changed
# under a prepared statement.
AWAY_ERRORS = (
    *LOST_ERRORS,
    *(asyncpg.InvalidAuthorizationSpecificationError, asyncpg.InvalidCatalogNameError),
    *(asyncpg.OperatorInterventionError, asyncpg.InsufficientResourcesError, asyncpg.PostgresSystemError),
    *(asyncpg.ReadOnlySQLTransactionError, asyncpg.IdleInTransactionSessionTimeoutError),
    *(asyncpg.TransactionTimeoutError, asyncpg.TransactionRollbackError),
    *(asyncpg.ObjectNotInPrerequisiteStateError, asyncpg.InvalidCachedStatementError),
)
# Everything a statement can fail with, for those who wait and try again.
DATABASE_ERRORS = (*AWAY_ERRORS, asyncpg.PostgresError)
# What can be a refusal: see `is_refusal`. COPY has the driver's own errors come out as they are.
REFUSALS = (asyncpg.PostgresError, ValueError, OverflowError)
# SQLSTATE classes that mean the values are at fault, not the database: data exception, constraint violation, limit
# exceeded.
_REFUSING_CLASSES = ("22", "23", "54")


def is_refusal(error: BaseException) -> bool:
    """Return whether the database, or its driver before it, says no to these values, whoever sends them whenever."""
    sqlstate = getattr(error, "sqlstate", None)
    return isinstance(error, REFUSALS) and (sqlstate is None or str(sqlstate)[:2] in _REFUSING_CLASSES)


def is_away(error: BaseException) -> bool:
    """Return whether the database, and not what was asked of it, is why this failed: later the same may succeed."""
    # asyncpg raises an InterfaceError that is a ValueError where an argument does not fit its column: our mistake.
    return isinstance(error, AWAY_ERRORS) and not isinstance(error, ValueError)


def away_sentence(error: BaseException) -> str:
    """Return that PostgreSQL does not answer, with why: in its words where it has some."""
    words = " ".join(str(error).split()) or ("no answer in time" if isinstance(error, TimeoutError) else "")
    return f"PostgreSQL does not answer: {words or type(error).__name__}"


class Database:
    """A pool of connections to one database, with `url` for what needs a connection of its own (LISTEN, psql).

    seconds: the time a statement has, and somebody who waits for a connection of the pool. process: what the server
    shows its connections as.
    """

    def __init__(self, url: str, pool: Any, seconds: float = WRITE_SECONDS, process: str = "killreport") -> None:
        self.url = url
        self.pool = pool
        self.seconds = seconds
        self.process = process

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """Lend a connection, outside a transaction."""
        connection = await self.pool.acquire(timeout=self.seconds)
        try:
            yield connection
        except (asyncio.CancelledError, TimeoutError) as error:
            if isinstance(error, TimeoutError):
                await self.doubt()
            # A statement may be on its way still, and whoever was told to end shall not wait for it.
            with contextlib.suppress(asyncpg.InterfaceError):  # ended already, and no connection of ours any more
                connection.terminate()
            raise
        finally:
            await self.pool.release(connection, timeout=RELEASE_SECONDS)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction that commits when the block ends and rolls back when it raises."""
        async with self.connection() as connection, connection.transaction():
            yield connection

    async def doubt(self) -> None:
        """Have every connection made anew before it is lent again: one did not answer, and others go the same way."""
        await self.pool.expire_connections()

    @asynccontextmanager
    async def apart(self, seconds: float = LONG_SECONDS) -> AsyncIterator[Connection]:
        """Lend a connection beside the pool: for statements that may take hours, or must not wait for the pool's."""
        connection = await connect(self.url, self.process, seconds=seconds)
        try:
            yield connection
            await connection.close(timeout=RELEASE_SECONDS)
        finally:
            connection.terminate()


async def _keep_session(_connection: Connection) -> None:
    """Skip the pool's RESET, a second round trip for every query; this is why no session state is allowed."""


@asynccontextmanager
async def open_database(
    settings: Settings, *, process: str = "killreport", seconds: float = WRITE_SECONDS
) -> AsyncIterator[Database]:
    """Lend the configured database; where none is configured, start the embedded server or join the running one.

    process: shown by PostgreSQL as application_name. seconds: the time a statement has. Raises Unavailable with a
    sentence that names no password.
    """
    if settings.database_url is not None:
        url = settings.database_url.get_secret_value()
        async with open_pool(url, settings.database_pool_size, process, seconds=seconds) as database:
            yield database
        return
    async with (
        use_embedded_server(settings.home) as url,
        open_pool(url, settings.database_pool_size, process, seconds=seconds) as database,
    ):
        yield database


@asynccontextmanager
async def open_pool(url: str, size: int, process: str, *, seconds: float = WRITE_SECONDS) -> AsyncIterator[Database]:
    """Lend a pool of up to `size` connections to the database at `url`. Raises Unavailable, or Refused for a pooler."""

    async def connect_one(_dsn: str, **options: Any) -> Connection:
        return await connect(url, process, seconds=seconds, **options)

    try:
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=size,
            reset=_keep_session,
            connect=connect_one,
            connection_class=LiveConnection,
        )
    except DATABASE_ERRORS as error:
        raise Unavailable(away_sentence(error)) from error
    try:
        try:
            async with pool.acquire(timeout=seconds) as connection:
                await refuse_shared_sessions(connection, url)
        except DATABASE_ERRORS as error:
            refuse_pooler(error)
            raise Unavailable(away_sentence(error)) from error
        yield Database(url, pool, seconds, process)
    finally:
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                await pool.close()
        except TimeoutError:
            pool.terminate()
