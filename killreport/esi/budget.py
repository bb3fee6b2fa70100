"""When the next request may start: one budget for all processes and hosts, and the pauses ESI asks for.

What one process is told, all keep: no request starts on knowledge older than a second, and a pause of a rate limit
group holds for every route that anybody found in it.

Reserved in the database with one statement a lease: the statement moves the next free moment on by an interval a
token and tells where it stood (GCRA without a burst), together with every pause in force. Ten tokens at most are leased
at once, and only as many as are waited for, so that none is wasted and no process waits behind a hoard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import structlog

from killreport.clock import monotonic
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import HostAway, Transient, Unavailable

MAX_LEASED = 10
DOWNTIME = "downtime"
# Before the name of a route that is away (`outage.py`): like the downtime, it lasts until a probe is answered.
MISSING = "missing "
EVERYBODY = "all"
PROBE_SECONDS = 10.0
# How long a process may believe what it last read of the pauses.
KNOWN_SECONDS = 1.0
# Further ahead than this many turns, or this long, nobody ever was: a clock wrote it that was ahead, and it is void.
MAX_TURNS_AHEAD = 5_000
MAX_PAUSE = "interval '2 hours'"

_PAUSES = f"""
select scope, extract(epoch from until - clock_timestamp())::float8 as seconds from (
    select scope, until from esi_pause
    union all
    select route, until from esi_pause join esi_route on rate_group = scope
) as pause
 where until between clock_timestamp() and clock_timestamp() + {MAX_PAUSE} or scope = 'downtime'
    or scope like '{MISSING}%' and until between clock_timestamp() - interval '1 day' and clock_timestamp()
"""  # noqa: S608
_LEASE = f"""
with leased as (
    insert into esi_budget (free_at) values (clock_timestamp() + $1::float8 * $2 * interval '1 second')
    on conflict (is_only) do update
       set free_at = case when esi_budget.free_at between clock_timestamp()
                     and clock_timestamp() + $1::float8 * {MAX_TURNS_AHEAD} * interval '1 second'
                     then esi_budget.free_at else clock_timestamp() end + $1::float8 * $2 * interval '1 second'
    returning extract(epoch from free_at - clock_timestamp())::float8 - $1::float8 * $2 as start
)
select start, scope, seconds from leased left join ({_PAUSES}) as pauses on true
"""  # noqa: S608
_PAUSE = f"""
insert into esi_pause (scope, until, reason) values ($1, clock_timestamp() + $2::float8 * interval '1 second', $3)
on conflict (scope) do update set reason = excluded.reason, until = case
    when esi_pause.until between excluded.until and clock_timestamp() + {MAX_PAUSE} then esi_pause.until
    else excluded.until end
"""  # noqa: S608
_LEARN = """
insert into esi_route (route, rate_group) values ($1, $2)
on conflict (route) do update set rate_group = excluded.rate_group where esi_route.rate_group <> excluded.rate_group
"""
# Whoever moves the moment on is the one who asks for everybody. A far moment was written by a clock that was ahead.
_PROBE = """
with moved as (
    update esi_pause set until = clock_timestamp() + $2::float8 * interval '1 second'
     where scope = $1 and (until <= clock_timestamp()
                           or until > clock_timestamp() + greatest(2 * $2::float8, 60) * interval '1 second')
    returning scope
)
select extract(epoch from until - clock_timestamp())::float8 as seconds, exists (select from moved) as is_ours
  from esi_pause where scope = $1
"""

log = structlog.get_logger()


class Budget:
    """The turns of one process."""

    def __init__(
        self,
        database: Database,
        per_second: float,
        *,
        clock: Callable[[], float] = monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._database = database
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._leasing = asyncio.Lock()
        self._waiting = 0
        self._moments: deque[float] = deque()
        self._pauses: dict[str, float] = {}
        self._read_at: float | None = None

    async def turn(self, *scopes: str) -> None:
        """Wait until a request of these scopes may start: its route, its rate limit group.

        Raises HostAway in downtime, Transient with the seconds left where a scope or everybody is to pause, and
        Unavailable without the database.
        """
        self._waiting += 1
        try:
            async with self._leasing:
                if self._is_known():
                    self._check(scopes)
                if not self._moments or self._moments[0] < self._clock() - 1:
                    await self._lease()
                await self._check_now(scopes)
                moment = self._moments.popleft()
        finally:
            self._waiting -= 1
        if (seconds := moment - self._clock()) > 0:
            await self._sleep(seconds)
            await self._check_now(scopes)

    def _is_known(self) -> bool:
        return self._read_at is not None and self._clock() - self._read_at < KNOWN_SECONDS

    async def _check_now(self, scopes: tuple[str, ...]) -> None:
        if not self._is_known():
            self._learn_pauses(await self._fetch(_PAUSES))
        self._check(scopes)

    def _check(self, scopes: tuple[str, ...]) -> None:
        if DOWNTIME in self._pauses:
            raise HostAway("ESI is in its downtime.")
        left = max(self._pauses.get(scope, 0) for scope in (EVERYBODY, *scopes)) - self._clock()
        if left > 0:
            raise Transient(f"ESI asked us to back off for {left:.0f} s.", left)

    async def _lease(self) -> None:
        """Fetch as many moments as are waited for, and the pauses."""
        self._moments.clear()
        count = min(self._waiting, MAX_LEASED)
        rows = await self._fetch(_LEASE, self._interval, count)
        self._learn_pauses(rows)
        start = self._clock() + rows[0]["start"]
        self._moments.extend(start + self._interval * number for number in range(count))

    async def _fetch(self, statement: str, *arguments: object) -> list[Any]:
        try:
            async with self._database.connection() as connection:
                return list(await connection.fetch(statement, *arguments))
        except DATABASE_ERRORS as error:
            raise Unavailable(f"ESI's rate limit budget cannot be reserved: {error}") from error

    def _learn_pauses(self, rows: Sequence[Any]) -> None:
        self._read_at = now = self._clock()
        self._pauses = {row["scope"]: now + row["seconds"] for row in rows if row["scope"] is not None}

    async def learn(self, route: str, group: str) -> bool:
        """Tell every process that the route is in the rate limit group, and return whether they know now."""
        try:
            async with self._database.connection() as connection:
                await connection.execute(_LEARN, route, group)
        except DATABASE_ERRORS as error:
            log.warning("esi_route_not_told", route=route, reason=str(error))
            return False
        return True

    async def pause(self, scope: str, seconds: float, reason: str) -> None:
        """Make every process leave this scope alone for so long."""
        self._pauses[scope] = max(self._pauses.get(scope, 0), self._clock() + seconds)
        try:
            async with self._database.connection() as connection:
                await connection.execute(_PAUSE, scope, seconds, reason)
        except DATABASE_ERRORS as error:
            raise Unavailable(f"The back-off for ESI cannot be shared: {error}") from error

    async def has_pause(self, scope: str) -> bool:
        """Tell whether the scope is paused; one that a probe ends may be overdue. Raises Unavailable as `turn`."""
        if not self._is_known():
            self._learn_pauses(await self._fetch(_PAUSES))
        return scope in self._pauses

    def seconds_left(self, scope: str) -> float | None:
        """Return how long the pause goes on as far as was read, below zero where a probe is due; None without one."""
        until = self._pauses.get(scope)
        return None if until is None else until - self._clock()

    async def may_probe(self, scope: str = DOWNTIME, seconds: float = PROBE_SECONDS) -> bool:
        """Tell whether it is this process's turn to find out whether the pause is over, the next one after so long."""
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_PROBE, scope, seconds)
        if row is None:
            self._pauses.pop(scope, None)
            return False
        self._pauses[scope] = self._clock() + (seconds if row["is_ours"] else row["seconds"])
        return bool(row["is_ours"])

    async def end_pause(self, scope: str = DOWNTIME) -> None:
        """Let everybody go on."""
        async with self._database.connection() as connection:
            await connection.execute("delete from esi_pause where scope = $1", scope)
        self._pauses.pop(scope, None)
