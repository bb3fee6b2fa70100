"""How every process does, in its own words: counted in memory, written every few seconds and at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from killreport.background import beside, keep
from killreport.clock import monotonic, utc_now
from killreport.db.database import DATABASE_ERRORS, Connection, Database

BEAT_SECONDS = 5.0
# A process that said nothing for this long is not there any more.
SILENCE_SECONDS = 20.0
RATE_SECONDS = 60.0
FORGET_DAYS = 7
MOST_ERROR_CHARACTERS = 500

_WRITE = """
insert into heartbeat (process, instance, started_at, seen_at, handled, failed, per_second, last_success_at,
                       last_error_at, last_error)
values ($1, $2, $3, now(), $4, $5, $6, $7, $8, $9)
on conflict (process, instance) do update
   set started_at = excluded.started_at, seen_at = excluded.seen_at, handled = excluded.handled,
       failed = excluded.failed, per_second = excluded.per_second, last_success_at = excluded.last_success_at,
       last_error_at = excluded.last_error_at, last_error = excluded.last_error
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class ProcessHeartbeat:
    """The last word of one process."""

    process: str
    instance: str
    started_at: datetime
    seen_at: datetime
    handled: int
    failed: int
    per_second: float
    last_success_at: datetime | None
    last_error_at: datetime | None
    last_error: str | None

    def is_alive(self, now: datetime) -> bool:
        """Tell whether the process spoke lately."""
        return (now - self.seen_at).total_seconds() <= SILENCE_SECONDS


class Heartbeat:
    """The counts of this process; plain calls, which cost nothing."""

    def __init__(self, process: str) -> None:
        self.process = process
        self.instance = f"{socket.gethostname()}:{os.getpid()}"
        self._started_at = utc_now()
        self._handled = 0
        self._failed = 0
        self._last_success_at: datetime | None = None
        self._last_error_at: datetime | None = None
        self._last_error: str | None = None
        self._marks = deque([(monotonic(), 0)])

    def succeeded(self, count: int = 1) -> None:
        """Count work that was done."""
        self._handled += count
        self._last_success_at = utc_now()

    def failed(self, reason: str) -> None:
        """Count work that could not be done, and remember why."""
        self._failed += 1
        self._last_error_at = utc_now()
        self._last_error = reason[:MOST_ERROR_CHARACTERS]

    async def write(self, database: Database) -> None:
        """Write the counts. Raises what the database raises."""
        now = monotonic()
        while len(self._marks) > 1 and self._marks[0][0] < now - RATE_SECONDS:
            self._marks.popleft()
        since, handled = self._marks[0]
        self._marks.append((now, self._handled))
        async with database.connection() as connection:
            await connection.execute(
                _WRITE,
                self.process,
                self.instance,
                self._started_at,
                self._handled,
                self._failed,
                (self._handled - handled) / max(now - since, 1.0),
                self._last_success_at,
                self._last_error_at,
                self._last_error,
            )


@asynccontextmanager
async def beat(database: Database, process: str) -> AsyncIterator[Heartbeat]:
    """Lend a heartbeat that writes itself until the block ends. A database away is survived."""
    heartbeat = Heartbeat(process)
    try:
        async with beside(keep(lambda: _keep_beating(database, heartbeat), "heartbeat")):
            yield heartbeat
    finally:
        with contextlib.suppress(*DATABASE_ERRORS):
            await heartbeat.write(database)


async def _keep_beating(database: Database, heartbeat: Heartbeat) -> None:
    await _forget(database)
    while True:
        try:
            await heartbeat.write(database)
        except DATABASE_ERRORS as error:
            log.warning("heartbeat_trouble", reason=str(error))
        await asyncio.sleep(BEAT_SECONDS)


async def _forget(database: Database) -> None:
    with contextlib.suppress(*DATABASE_ERRORS):
        async with database.connection() as connection:
            await connection.execute(
                "delete from heartbeat where seen_at < now() - make_interval(days => $1)", FORGET_DAYS
            )


async def list_heartbeats(connection: Connection) -> list[ProcessHeartbeat]:
    """Return the last word of every process, those that ended lately included, the latest first."""
    rows = await connection.fetch(
        """select process, instance, started_at, seen_at, handled, failed, per_second, last_success_at,
                  last_error_at, last_error
             from heartbeat order by seen_at desc"""
    )
    return [ProcessHeartbeat(*row) for row in rows]
