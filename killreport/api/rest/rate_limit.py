"""What a request of the REST API pays, out of the buckets of GraphQL, and when it gets its turn.

Rows are what it costs: a caller pays for the most it can get, and is given back what there was not. A few work at once,
however many ask, so that the pool's connections and the loop are there for everybody else.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

from starlette.requests import Request

from killreport.api.context import ApiContext
from killreport.api.door.guard.gate import MIN_COST
from killreport.api.door.guard.guard import Guard
from killreport.coordination.rate_limit import Grant
from killreport.door.client import Client
from killreport.door.concurrency import ConcurrencyLimit, Permit
from killreport.errors import Malformed, Transient
from killreport.ids import read_whole

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
        """Return a place among those who wait or work. Raises LimitReached."""
        return self._requests.take(client)

    @asynccontextmanager
    async def turn(self, seconds: float | None = None) -> AsyncIterator[None]:
        """Be one of those who work. seconds: until Transient; None: until it is one's turn."""
        try:
            async with asyncio.timeout(seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Transient("Too many requests at once; try again shortly.", BUSY_SECONDS) from None
        try:
            yield
        finally:
            self._free.release()


class RestRequest:
    """One request to an address, which is all that its handler is told.

    media: in which it is answered. grant: how the client's bucket stands, None for who is not limited.
    """

    def __init__(self, limiter: RestLimiter, http: Request, schemas: Mapping[str, Mapping[str, Any]]) -> None:
        """schemas: of the parameters of the address."""
        self.limiter = limiter
        self.http = http
        self.client = limiter.guard.clients.client(http)
        self.media: str | None = None
        self.grant: Grant | None = None
        self._schemas = schemas

    @property
    def context(self) -> ApiContext:
        """What the application has open."""
        context: ApiContext = self.http.app.state.context
        return context

    def given(self, name: str) -> str | None:
        """Return what was given for a parameter, None where it was left out."""
        path: dict[str, str] = self.http.path_params
        return path[name] if name in path else self.http.query_params.get(name)

    def number(self, name: str, default: int = 0) -> int:
        """Return the whole number that was given for a parameter. Raises Malformed where its schema has no such one."""
        text = self.given(name)
        if text is None:
            return default
        least, most = self._schemas[name]["minimum"], self._schemas[name]["maximum"]
        number = read_whole(text, least, most)
        if number is None:
            raise Malformed(f"a whole number from {least} to {most} is needed", name)
        return number

    async def pay(self, cost: int) -> None:
        """Pay at least so much. Raises RateLimited."""
        self.grant = await self.limiter.guard.gate.take(self.client, max(cost, MIN_COST))

    async def pay_for(self, most_rows: int) -> RowCharge:
        """Pay for so many whole killmails. Raises RateLimited."""
        await self.pay(most_rows * ROW_COST)
        return RowCharge(self, most_rows)

    def stream(self) -> Permit:
        """Return a place for an answer that goes on. Raises LimitReached."""
        return self.limiter.guard.places.take(self.client)


class RowCharge:
    """What was paid for rows that may turn out to be fewer."""

    def __init__(self, request: RestRequest, most_rows: int) -> None:
        self._request = request
        self._most_rows = most_rows

    async def settle(self, rows: int) -> None:
        """Give back what was paid for rows that there are not."""
        request = self._request
        if request.grant is not None and rows < self._most_rows:
            request.grant = await request.limiter.guard.gate.give_back(
                request.client, self._most_rows * ROW_COST, max(rows * ROW_COST, MIN_COST)
            )
