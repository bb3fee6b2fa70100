"""How every process does, in its own words: counted in memory, written every few seconds and at the end."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

import structlog

from killreport.background import beside, keep
from killreport.clock import monotonic, span, utc_now
from killreport.db.database import DATABASE_ERRORS, Connection, Database
from killreport.fleet.notify import notify_waiting

BEAT_SECONDS = 5.0
# A process that said nothing for this long is not there any more.
SILENCE_SECONDS = 20.0
RATE_SECONDS = 60.0
FORGET_DAYS = 7
MAX_ERROR_CHARACTERS = 500

_WRITE = """
insert into heartbeat (process, instance, started_at, seen_at, handled, failed, per_second, last_success_at,
                       last_error_at, last_error, waits_for, waits_since)
values ($1, $2, $3, now(), $4, $5, $6, $7, $8, $9, $10, $11)
on conflict (process, instance) do update
   set started_at = excluded.started_at, seen_at = excluded.seen_at, handled = excluded.handled,
       failed = excluded.failed, per_second = excluded.per_second, last_success_at = excluded.last_success_at,
       last_error_at = excluded.last_error_at, last_error = excluded.last_error,
       waits_for = excluded.waits_for, waits_since = excluded.waits_since
"""

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class WaitState:
    """What somebody else is to do before a process can go on, why it is waited for, and since when."""

    what: str
    reason: str
    since: datetime

    @property
    def sentence(self) -> str:
        """Return it in words, without the time."""
        return f"waiting for {self.what}: {self.reason}"

    def said(self, now: datetime) -> str:
        """Return it in words, as in `waiting for the feed for 3m: name not found`."""
        return f"waiting for {self.what} for {span((now - self.since).total_seconds())}: {self.reason}"


@dataclass(frozen=True, slots=True)
class ProcessHeartbeat:
    """The last word of one process. waits_for: in words what it waits for; None for nothing."""

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
    waits_for: str | None = None
    waits_since: datetime | None = None

    def is_alive(self, now: datetime) -> bool:
        """Tell whether the process spoke lately."""
        return (now - self.seen_at).total_seconds() <= SILENCE_SECONDS


class Heartbeat:
    """The counts of this process; plain calls, which cost nothing. waiting: asked at each beat what is waited for."""

    def __init__(self, process: str) -> None:
        self.waiting: Callable[[], WaitState | None] = lambda: None
        self._has_told = False
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
        self._last_error = reason[:MAX_ERROR_CHARACTERS]

    def tell(self) -> WaitState | None:
        """Tell the process manager what is waited for, as long as something is, and return it."""
        found = self.waiting()
        if found is not None or self._has_told:
            notify_waiting("" if found is None else found.said(utc_now()))
        self._has_told = found is not None
        return found

    async def write(self, database: Database) -> None:
        """Write the counts. Raises what the database raises."""
        waiting = self.tell()
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
                waiting.sentence[:MAX_ERROR_CHARACTERS] if waiting else None,
                waiting.since if waiting else None,
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
                  last_error_at, last_error, waits_for, waits_since
             from heartbeat order by seen_at desc"""
    )
    return [ProcessHeartbeat(*row) for row in rows]
