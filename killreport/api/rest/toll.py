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
from killreport.cache.buckets import Grant
from killreport.door.client import Client
from killreport.door.places import Place, Places
from killreport.errors import Transient

# A whole killmail with its attackers and items takes about a millisecond, a line of a list a twentieth.
ROW_COST = 10
LINES_A_COST = 20
# Of the five connections of a process's pool.
AT_ONCE = 2
MAX_WAITING = 60
MAX_WAITING_PER_CLIENT = 8
BUSY_SECONDS = 5


class Toll:
    """Shared by all addresses of the REST API."""

    def __init__(self, guard: Guard) -> None:
        self.guard = guard
        self.seconds = guard.settings.api_timeout_seconds
        self._requests = Places(MAX_WAITING, MAX_WAITING_PER_CLIENT, "requests for lists", "Ask one after the other.")
        self._free = asyncio.Semaphore(AT_ONCE)

    def place(self, client: Client) -> Place:
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


class Visit:
    """One request. grant: how the client's bucket stands, None for who is not limited."""

    def __init__(self, toll: Toll, request: Request) -> None:
        self.toll = toll
        self.client = toll.guard.clients.client(request)
        self.grant: Grant | None = None

    async def pay(self, cost: int) -> None:
        """Pay at least so much. Raises RateLimited."""
        self.grant = await self.toll.guard.gate.take(self.client, max(cost, MIN_COST))

    async def pay_for(self, most_rows: int) -> Paid:
        """Pay for so many whole killmails. Raises RateLimited."""
        await self.pay(most_rows * ROW_COST)
        return Paid(self, most_rows)

    def stream(self) -> Place:
        """Return a place for an answer that goes on. Raises NoPlace."""
        return self.toll.guard.places.take(self.client)


class Paid:
    """What was paid for rows that may turn out to be fewer."""

    def __init__(self, visit: Visit, most_rows: int) -> None:
        self._visit = visit
        self._most_rows = most_rows

    async def settle(self, rows: int) -> None:
        """Give back what was paid for rows that there are not."""
        visit = self._visit
        if visit.grant is not None and rows < self._most_rows:
            visit.grant = await visit.toll.guard.gate.give_back(
                visit.client, self._most_rows * ROW_COST, max(rows * ROW_COST, MIN_COST)
            )


def visit_of(request: Request) -> Visit:
    """Return the visit that a request is."""
    visit: Visit = request.state.visit
    return visit
