"""What a request of the REST API pays, out of the buckets of GraphQL, and when it gets its turn.

Rows are what it costs: a caller pays for the most it can get, and is given back what there was not. A few work at once,
however many ask, so that the pool's connections and the loop are there for everybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.requests import Request

from killreport.api.door.guard.gate import MIN_COST
from killreport.api.door.guard.guard import Guard
from killreport.coordination.rate_limit import Grant
from killreport.door.client import Client
from killreport.door.concurrency import ConcurrencyLimit, Permit
from killreport.errors import Transient

# A whole killmail with its attackers and items takes about a millisecond, a line of a list a twentieth.
ROW_COST = 10
LINES_A_COST = 20
# Of the five connections of a process's pool.
AT_ONCE = 2
MAX_WAITING = 60
MAX_WAITING_PER_CLIENT = 8
BUSY_SECONDS = 5


class RestLimiter:
    """Shared by all addresses of the REST API."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.seconds = guard.settings.api_timeout_seconds
        self._requests = ConcurrencyLimit(
            MAX_WAITING, MAX_WAITING_PER_CLIENT, "requests for lists", "Ask one after the other."
        )
        self._free = asyncio.Semaphore(AT_ONCE)

    def place(self, client: Client) -> Permit:
        """Return a place among those who wait or work. Raises NoPlace."""
        return self._requests.take(client)

    @asynccontextmanager
    async def turn(self, seconds: float | None = None) -> AsyncIterator[None]:
        """Be one of those who work. seconds: until Transient; None: until it is one's turn."""
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Transient("Too much is asked for at once; try again shortly.", BUSY_SECONDS) from None
        try:
            yield
        finally:
            self._free.release()


class RequestCharge:
    """One request. grant: how the client's bucket stands, None for who is not limited."""

    def __init__(self, limiter: RestLimiter, request: Request) -> None:
        self.limiter = limiter
        self.client = limiter.guard.clients.client(request)
        self.grant: Grant | None = None

    async def pay(self, cost: int) -> None:
        """Pay at least so much. Raises RateLimited."""
        self.grant = await self.limiter.guard.gate.take(self.client, max(cost, MIN_COST))

    async def pay_for(self, most_rows: int) -> RowCharge:
        """Pay for so many whole killmails. Raises RateLimited."""
        await self.pay(most_rows * ROW_COST)
        return RowCharge(self, most_rows)

    def stream(self) -> Permit:
        """Return a place for an answer that goes on. Raises NoPlace."""
        return self.limiter.guard.places.take(self.client)


class RowCharge:
    """What was paid for rows that may turn out to be fewer."""

    def __init__(self, charge: RequestCharge, most_rows: int) -> None:
        self._visit = charge
        self._most_rows = most_rows

    async def settle(self, rows: int) -> None:
        """Give back what was paid for rows that there are not."""
        charge = self._visit
        if charge.grant is not None and rows < self._most_rows:
            charge.grant = await charge.limiter.guard.gate.give_back(
                charge.client, self._most_rows * ROW_COST, max(rows * ROW_COST, MIN_COST)
            )


def charge_of(request: Request) -> RequestCharge:
    """Return the visit that a request is."""
    charge: RequestCharge = request.state.charge
    return charge
