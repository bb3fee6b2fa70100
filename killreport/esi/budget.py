"""When the next request may start: one budget for all processes and hosts, and the pauses ESI asks for.

Reserved in the database with one statement a lease: the statement moves the next free moment on by an interval a
token and tells where it stood (GCRA without a burst), together with every pause in force. Ten tokens at most are leased
at once, and only as many as are waited for, so that none is wasted and no process waits behind a hoard.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from killreport.clock import monotonic
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.errors import HostAway, Transient, Unavailable

MOST_LEASED = 10
DOWNTIME = "downtime"
EVERYBODY = "all"
PROBE_SECONDS = 10.0
# Further ahead than this many turns, or this long, nobody ever was: a clock wrote it that was ahead, and it is void.
MAX_TURNS_AHEAD = 5_000
MAX_PAUSE = "interval '2 hours'"

_LEASE = f"""
with leased as (
    insert into esi_budget (free_at) values (clock_timestamp() + $1::float8 * $2 * interval '1 second')
    on conflict (is_only) do update
       set free_at = case when esi_budget.free_at between clock_timestamp()
                     and clock_timestamp() + $1::float8 * {MAX_TURNS_AHEAD} * interval '1 second'
                     then esi_budget.free_at else clock_timestamp() end + $1::float8 * $2 * interval '1 second'
    returning extract(epoch from free_at - clock_timestamp())::float8 - $1::float8 * $2 as start
)
select start, scope, extract(epoch from until - clock_timestamp())::float8 as seconds
  from leased left join esi_pause
    on until between clock_timestamp() and clock_timestamp() + {MAX_PAUSE} or scope = 'downtime'
"""  # noqa: S608
_PAUSE = f"""
insert into esi_pause (scope, until, reason) values ($1, clock_timestamp() + $2::float8 * interval '1 second', $3)
on conflict (scope) do update set reason = excluded.reason, until = case
    when esi_pause.until between excluded.until and clock_timestamp() + {MAX_PAUSE} then esi_pause.until
    else excluded.until end
"""  # noqa: S608
# Whoever moves the moment on is the one who asks /status for everybody.
_PROBE = """
update esi_pause set until = clock_timestamp() + $1::float8 * interval '1 second'
 where scope = 'downtime' and (until <= clock_timestamp() or until > clock_timestamp() + 2 * $1 * interval '1 second')
returning scope
"""


@dataclass(frozen=True, slots=True)
class Lease:
    """What the database granted. start: seconds until the first token's moment. pauses: seconds left, by scope."""

    start: float
    pauses: dict[str, float]


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

    async def turn(self) -> None:
        """Wait until this request may start. Raises Transient or Unavailable where that is not to be soon."""
        self._waiting += 1
        try:
            async with self._leasing:
                if not self._moments or self._moments[0] < self._clock() - 1:
                    await self._lease()
                try:
                    self.check(EVERYBODY)
                except (Transient, Unavailable):
                    # The next turn asks the database anew whether the pause is over.
                    self._moments.clear()
                    raise
                moment = self._moments.popleft()
        finally:
            self._waiting -= 1
        if (seconds := moment - self._clock()) > 0:
            await self._sleep(seconds)

    def check(self, scope: str) -> None:
        """Raise Unavailable in downtime, Transient with the seconds left where the scope is to pause."""
        if DOWNTIME in self._pauses:
            raise HostAway("ESI is in its downtime.")
        left = self._pauses.get(scope, 0) - self._clock()
        if left > 0:
            raise Transient(f"ESI asked for a pause of {left:.0f} s.", left)

    async def _lease(self) -> None:
        """Fetch as many moments as are waited for, and the pauses."""
        self._moments.clear()
        count = min(self._waiting, MOST_LEASED)
        try:
            async with self._database.connection() as connection:
                rows = await connection.fetch(_LEASE, self._interval, count)
        except DATABASE_ERRORS as error:
            raise Unavailable(f"The budget for ESI cannot be reserved: {error}") from error
        now = self._clock()
        self._pauses = {row["scope"]: now + row["seconds"] for row in rows if row["scope"] is not None}
        start = now + rows[0]["start"]
        self._moments.extend(start + self._interval * number for number in range(count))

    async def pause(self, scope: str, seconds: float, reason: str) -> None:
        """Make every process leave this scope alone for so long."""
        self._pauses[scope] = max(self._pauses.get(scope, 0), self._clock() + seconds)
        try:
            async with self._database.connection() as connection:
                await connection.execute(_PAUSE, scope, seconds, reason)
        except DATABASE_ERRORS as error:
            raise Unavailable(f"The pause for ESI cannot be shared: {error}") from error

    async def may_probe(self) -> bool:
        """Tell whether it is this process's turn to ask whether the downtime is over."""
        async with self._database.connection() as connection:
            return await connection.fetchval(_PROBE, PROBE_SECONDS) is not None

    async def end_downtime(self) -> None:
        """Let everybody go on."""
        async with self._database.connection() as connection:
            await connection.execute("delete from esi_pause where scope = 'downtime'")
        self._pauses.pop(DOWNTIME, None)
