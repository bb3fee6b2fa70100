"""Single instances of workers and jobs: a lock in the database that lasts as long as its holder shows that it lives.

A lock of PostgreSQL's goes with its session, and a session may outlive its client by hours: where the connection was
cut without a word the server goes on waiting. So the holder speaks every few seconds, and whoever wants the lock ends a
session that has not spoken for several times as long.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import structlog

from killreport.background import beside
from killreport.db.connection import connect
from killreport.db.database import DATABASE_ERRORS, Connection, Database, away_sentence
from killreport.errors import Conflict, Unavailable

CLOSE_SECONDS = 5.0
# How often the holder says that it lives, and how long it waits for the server to hear it.
LIFE_SECONDS = 5.0
ANSWER_SECONDS = 10.0
# A holder that was silent for so long is gone, or stands still: it is to find out that others went on.
SILENT_SECONDS = 15.0
# The server ends such a session by itself too, also where nobody else wants the lock.
SESSION = {"idle_session_timeout": "120s"}

# The database needs a moment to notice that a holder was killed.
LOCK_TRIES = 10
PAUSE_SECONDS = 0.5

# The two halves of the key are how PostgreSQL shows a lock of one number. Waits up to 3 s for the session's end.
_END_SILENT = """
select count(pg_terminate_backend(activity.pid, 3000))
from pg_locks held join pg_stat_activity activity using (pid)
where held.locktype = 'advisory' and held.objsubid = 1 and held.granted
  and held.database = (select oid from pg_database where datname = current_database())
  and (held.classid::bigint << 32) | held.objid::bigint = hashtextextended($1, 0)
  and activity.usename = current_user and activity.state_change < clock_timestamp() - make_interval(secs => $2)
"""

log = structlog.get_logger()


@asynccontextmanager
async def hold_lock(database: Database, name: str) -> AsyncIterator[asyncio.Event]:
    """Hold the database-wide lock of that name during the block, and lend an event that is set if it is lost.

    It is lost with its connection, for instance when the server restarts or does not answer for ANSWER_SECONDS:
    somebody else may have it from then on, so the holder should stop and start over. Raises Conflict where somebody
    else holds it who spoke within SILENT_SECONDS, Unavailable where the database does not answer.
    """
    lost = asyncio.Event()
    try:
        connection = await connect(database.url, f"lock {name}", seconds=ANSWER_SECONDS, session=SESSION)
    except DATABASE_ERRORS as error:
        raise Unavailable(away_sentence(error)) from error
    try:
        connection.add_termination_listener(lambda _connection: lost.set())
        await _take(connection, name)
        async with beside(_show_life(database, connection, name, lost), f"life {name}"):
            yield lost
        if not lost.is_set():
            # Said aloud, so that the next holder need not wait for the server to notice that the connection is gone.
            await connection.close(timeout=CLOSE_SECONDS)
    finally:
        connection.terminate()


@asynccontextmanager
async def single_instance(database: Database, name: str, stop: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Hold the lock of that name during the block, and lend an event that is set with `stop`, or if the lock is lost.

    Where a holder was killed just now it waits a moment. Raises as `hold_lock` does.
    """
    ended = asyncio.Event()

    async def end_with(event: asyncio.Event) -> None:
        await event.wait()
        ended.set()

    async with AsyncExitStack() as stack:
        for tries_left in reversed(range(LOCK_TRIES)):
            try:
                lost = await stack.enter_async_context(hold_lock(database, name))
                break
            except Conflict:
                if not tries_left:
                    raise
                await asyncio.sleep(PAUSE_SECONDS)
        async with beside(end_with(stop)), beside(end_with(lost)):
            yield ended


async def _take(connection: Connection, name: str) -> None:
    take = "select pg_try_advisory_lock(hashtextextended($1, 0))"
    try:
        if await connection.fetchval(take, name):
            return
        if await connection.fetchval(_END_SILENT, name, SILENT_SECONDS):
            log.warning("silent_lock_holder_ended", lock=name)
        # Also where none was ended: it may have ended by itself meanwhile.
        if await connection.fetchval(take, name):
            return
    except DATABASE_ERRORS as error:
        raise Unavailable(away_sentence(error)) from error
    raise Conflict(f"{name} is already running on this database.")


async def _show_life(database: Database, connection: Connection, name: str, lost: asyncio.Event) -> None:
    """Say every few seconds that the holder lives, until nobody hears it."""
    while True:
        await asyncio.sleep(LIFE_SECONDS)
        try:
            await connection.execute("select 1")
        except DATABASE_ERRORS as error:
            log.warning("lock_lost", lock=name, reason=away_sentence(error))
            lost.set()
            connection.terminate()
            await database.doubt()
            return
