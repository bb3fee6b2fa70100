"""A connection that cannot hang: every statement has its time, both ends ask whether the other is there.

A peer that vanished without a word (a pulled cable, a firewall that forgets, a proxy that swallows) answers nothing,
for ever. So a statement that is not answered in its time, and one that nobody waits for any more, takes its connection
with it: what the other end still says would be taken for the answer to something else. The server's half is ended over
a new connection, because it may hold locks.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
import structlog

from killreport.background import Errands

CONNECT_SECONDS = 15.0
ROLLBACK_SECONDS = 5.0
END_SECONDS = 10.0

# What a person waits for.
SHORT_SECONDS = 15.0
# What a worker writes, a battle's worth at once.
WRITE_SECONDS = 60.0
# What an import writes, thousands of killmails at once.
BATCH_SECONDS = 600.0
# A job's or a migration's, over years of killmails; a job has a limit of its own beside it.
LONG_SECONDS = 6 * 3600.0

KEEPALIVE_IDLE_SECONDS = 10
KEEPALIVE_INTERVAL_SECONDS = 5
KEEPALIVE_COUNT = 3
UNHEARD_SECONDS = KEEPALIVE_IDLE_SECONDS + KEEPALIVE_INTERVAL_SECONDS * KEEPALIVE_COUNT

# What every session has; the first two because answers are to be the same everywhere, the rest so that a client that
# vanished is noticed by the server: while it waits, while a statement runs, and with a transaction open.
SESSION = {
    "timezone": "UTC",
    "jit": "off",
    "tcp_keepalives_idle": str(KEEPALIVE_IDLE_SECONDS),
    "tcp_keepalives_interval": str(KEEPALIVE_INTERVAL_SECONDS),
    "tcp_keepalives_count": str(KEEPALIVE_COUNT),
    "tcp_user_timeout": str(1000 * UNHEARD_SECONDS),
    "client_connection_check_interval": "5s",
    "idle_in_transaction_session_timeout": "10min",
}

# What is raised where a connection ends; asyncpg's internal error is when that was between two messages.
LOST_ERRORS = (OSError, asyncpg.InterfaceError, asyncpg.InternalClientError, asyncpg.PostgresConnectionError)

log = structlog.get_logger()

# The ending of sessions, which nobody waits for.
_errands = Errands()


class LiveConnection(asyncpg.Connection):  # type: ignore[misc]
    """asyncpg's, that ends itself with a statement that is not answered in time or is cancelled.

    url, name: the database's and its own, for ending the server's half.
    """

    def __init__(self, protocol: Any, transport: asyncio.BaseTransport, *others: Any) -> None:
        super().__init__(protocol, transport, *others)
        self.url = ""
        self.name = ""
        keep_alive(transport.get_extra_info("socket"))

    async def execute(self, query: str, *arguments: Any, timeout: float | None = None) -> str:  # noqa: ASYNC109
        """See asyncpg. A rollback is not waited for long: ending the connection does the same."""
        if timeout is None and query.startswith("ROLLBACK"):
            timeout = ROLLBACK_SECONDS
        with self._answering():
            return str(await super().execute(query, *arguments, timeout=timeout))

    @asynccontextmanager
    async def transaction(self, **options: Any) -> AsyncIterator[Any]:
        """See asyncpg, whose own leaves a block with the connection's end instead of what ended the block.

        Where that was a cancellation, it was lost with it: whoever survives a database that is away went on.
        """
        inner = super().transaction(**options)
        await inner.start()
        try:
            yield inner
        except BaseException:
            # The end of the connection is a rollback too.
            if not self.is_closed():
                with contextlib.suppress(*LOST_ERRORS):
                    await inner.rollback()
            raise
        await inner.commit()

    async def executemany(self, *arguments: Any, **options: Any) -> None:
        """See asyncpg."""
        with self._answering():
            await super().executemany(*arguments, **options)

    async def fetch(self, *arguments: Any, **options: Any) -> Any:
        """See asyncpg."""
        with self._answering():
            return await super().fetch(*arguments, **options)

    async def fetchval(self, *arguments: Any, **options: Any) -> Any:
        """See asyncpg."""
        with self._answering():
            return await super().fetchval(*arguments, **options)

    async def fetchrow(self, *arguments: Any, **options: Any) -> Any:
        """See asyncpg."""
        with self._answering():
            return await super().fetchrow(*arguments, **options)

    async def copy_records_to_table(self, *arguments: Any, **options: Any) -> Any:
        """See asyncpg."""
        with self._answering():
            return await super().copy_records_to_table(*arguments, **options)

    @contextmanager
    def _answering(self) -> Iterator[None]:
        try:
            yield
        except TimeoutError:
            pid = self.get_server_pid()
            log.warning("statement_unanswered", server_pid=pid)
            self.terminate()
            _errands.run(_end_session(self.url, self.name, pid), f"end session {pid}")
            raise
        except asyncio.CancelledError:
            # The server learns of it by client_connection_check_interval.
            self.terminate()
            raise


async def connect(
    url: str, name: str, *, seconds: float, session: Mapping[str, str] | None = None, **options: Any
) -> Any:
    """Return a new connection.

    name: what the server shows it as. seconds: the time a statement has where it is not told otherwise.
    Raises one of `database.AWAY_ERRORS`, as all that uses it does.
    """
    connection = await asyncpg.connect(
        url,
        timeout=CONNECT_SECONDS,
        command_timeout=seconds,
        server_settings={**SESSION, **(session or {}), "application_name": name[:63]},
        **{**options, "connection_class": LiveConnection},
    )
    connection.url, connection.name = url, name[:63]
    return connection


def keep_alive(connection: socket.socket | None) -> None:
    """Have the kernel ask whether the other end of a TCP connection is there, and end it after UNHEARD_SECONDS.

    Not at all for other sockets, and only as far as this system knows the options.
    """
    if connection is None or connection.family not in (socket.AF_INET, socket.AF_INET6):
        return
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in keepalive_options().items():
        connection.setsockopt(socket.IPPROTO_TCP, option, value)


def keepalive_options() -> dict[int, int]:
    """Return the options of TCP, as far as this system knows them."""
    wanted = {
        "TCP_KEEPIDLE": KEEPALIVE_IDLE_SECONDS,
        "TCP_KEEPINTVL": KEEPALIVE_INTERVAL_SECONDS,
        "TCP_KEEPCNT": KEEPALIVE_COUNT,
        "TCP_USER_TIMEOUT": 1000 * UNHEARD_SECONDS,
    }
    return {int(getattr(socket, name)): value for name, value in wanted.items() if hasattr(socket, name)}


async def _end_session(url: str, name: str, pid: int) -> None:
    """End the server's half of a connection that was given up; what cannot be ended ends by the server's own limits."""
    try:
        async with asyncio.timeout(END_SECONDS):
            connection = await connect(url, f"end {pid}", seconds=END_SECONDS)
            try:
                # A pooler gives numbers of its own: the session of that number may be somebody else's.
                await connection.execute(
                    """select pg_terminate_backend(pid) from pg_stat_activity where pid = $1 and application_name = $2
                       and usename = current_user and datname = current_database()""",
                    *(pid, name),
                )
            finally:
                connection.terminate()
    except (*LOST_ERRORS, asyncpg.PostgresError) as error:
        log.warning("session_not_ended", server_pid=pid, reason=str(error) or type(error).__name__)
