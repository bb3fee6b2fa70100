"""Turns at a host that wants to be asked slowly, shared by every process on the database.

Whoever takes a turn moves the time of the next one on, in one statement, so two processes never have the same one. A
host that bans is left alone by all: it counts by address, and asking on makes a ban longer.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from killreport.db.database import Connection, Database
from killreport.errors import Refused, Transient, Unavailable
from killreport.zkillboard.walk import BAN_SECONDS

# No host was ever to be left alone for longer: what is further ahead was written by a clock that was, and is void.
MAX_PAUSE = timedelta(hours=4)
# Beyond its own turn; a turn further away means that the host asked to be left alone.
MAX_WAIT = timedelta(seconds=60)


async def reserve_request(connection: Connection, endpoint: str, interval: timedelta, most_wait: timedelta) -> float:
    """Take the next turn at the endpoint and return the seconds until it comes; turns are `interval` apart.

    Raises Unavailable where it would come later than `most_wait` from now; no turn is taken then.
    """
    wait: float | None = await connection.fetchval(
        """insert into request_turn as turn (endpoint, free_at) values ($1, clock_timestamp() + $2)
           on conflict (endpoint) do update set free_at = $2 +
               case when turn.free_at between clock_timestamp() and clock_timestamp() + $4
               then turn.free_at else clock_timestamp() end
           where turn.free_at <= clock_timestamp() + $3 or turn.free_at > clock_timestamp() + $4
           returning extract(epoch from free_at - $2 - clock_timestamp())::double precision""",
        endpoint,
        interval,
        most_wait,
        MAX_PAUSE,
    )
    if wait is None:
        raise Unavailable(
            f"{endpoint} is rate limited: the next request is over {most_wait.total_seconds():.0f} s away."
        )
    return max(wait, 0.0)


async def postpone_requests(connection: Connection, endpoint: str, pause: timedelta) -> None:
    """Let nobody have a turn at the endpoint before the pause is over; a longer one that was set before stays."""
    await connection.execute(
        """insert into request_turn as turn (endpoint, free_at) values ($1, clock_timestamp() + $2)
           on conflict (endpoint) do update set free_at =
               case when turn.free_at between excluded.free_at and clock_timestamp() + $3
               then turn.free_at else excluded.free_at end""",
        endpoint,
        pause,
        MAX_PAUSE,
    )


async def pause_left(connection: Connection, endpoint: str) -> float:
    """Return for how many seconds the endpoint is to be left alone, 0 where it may be asked."""
    left: float | None = await connection.fetchval(
        """select extract(epoch from free_at - clock_timestamp())::double precision from request_turn
           where endpoint = $1 and free_at between clock_timestamp() and clock_timestamp() + $2""",
        endpoint,
        MAX_PAUSE,
    )
    return left or 0.0


@asynccontextmanager
async def obeying_pauses(database: Database, endpoint: str) -> AsyncIterator[None]:
    """Have all processes leave the endpoint alone for as long as it says to what is asked in the block.

    Raises Transient in the place of Refused, which is how it bans: nothing of ours is refused for what it asks.
    """
    try:
        yield
    except Transient as error:
        if error.retry_after is not None:
            await _leave_alone(database, endpoint, error.retry_after)
        raise
    except Refused as error:
        await _leave_alone(database, endpoint, BAN_SECONDS)
        raise Transient(str(error), BAN_SECONDS) from error


async def _leave_alone(database: Database, endpoint: str, seconds: float) -> None:
    async with database.connection() as connection:
        await postpone_requests(connection, endpoint, timedelta(seconds=seconds))
