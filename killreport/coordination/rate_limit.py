"""Token buckets, one a client: in memory, or in Redis for several processes together."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import structlog
from cachetools import LRUCache

from killreport.clock import monotonic
from killreport.config import Settings
from killreport.coordination.events import PREFIX, installation_name, socket_options
from killreport.db.database import Database

# About 150 bytes each; whoever is forgotten starts with a full bucket.
MAX_CLIENTS = 50_000
# After a Redis that does not answer, each process counts by itself for so long before it is asked again.
AWAY_SECONDS = 5.0
REDIS_TIMEOUT_SECONDS = 0.5

log = structlog.get_logger()

# One number a client: when its bucket will be full (the virtual schedule of GCRA), by the clock of Redis.
_TAKE = """
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local rate, burst, cost = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local full_at = math.max(tonumber(redis.call('GET', KEYS[1]) or '0'), now)
local left = burst - (full_at - now) * rate
if cost > left then return {0, tostring(left)} end
full_at = math.max(full_at + cost / rate, now)
redis.call('SET', KEYS[1], string.format('%.6f', full_at), 'PX', math.ceil((full_at - now) * 1000) + 1000)
return {1, tostring(left - cost)}
"""


@dataclass(frozen=True, slots=True)
class Grant:
    """What a bucket said. left: tokens. full_in, retry_after: seconds until it is full, and has what was asked."""

    is_allowed: bool
    left: int
    full_in: int
    retry_after: int


class Buckets(Protocol):
    """Either kind."""

    async def take(self, key: str, cost: int) -> Grant:
        """Take so many tokens out of the bucket of `key`, or none where it holds fewer.

        A cost beyond a whole bucket counts as a whole one, so that whoever waits gets its turn.
        """

    async def give_back(self, key: str, cost: int) -> Grant:
        """Put tokens that were taken and not used back, as many as fit."""


class MemoryBuckets:
    """Buckets of this process; the clients that were quiet for longest are forgotten first."""

    def __init__(self, burst: int, per_second: float, *, clock: Callable[[], float] = monotonic) -> None:
        self._burst, self._rate, self._clock = burst, per_second, clock
        self._full_at: LRUCache[str, float] = LRUCache(MAX_CLIENTS)

    async def take(self, key: str, cost: int) -> Grant:
        """See `Buckets`."""
        now = self._clock()
        cost = min(cost, self._burst)
        full_at = max(self._full_at.get(key, now), now)
        left = self._burst - (full_at - now) * self._rate
        # Sums of fractions of a second are a hair off; a token that is all but there is there.
        is_allowed = cost <= left + 1e-6
        if is_allowed:
            left -= cost
            self._full_at[key] = max(full_at + cost / self._rate, now)
        return _grant(is_allowed, left, cost, self._burst, self._rate)

    async def give_back(self, key: str, cost: int) -> Grant:
        """See `Buckets`."""
        return await self.take(key, -cost)


class RedisBuckets:
    """Buckets that all processes of the installation share; while Redis is away, each process has its own."""

    def __init__(
        self, url: str, name: str, burst: int, per_second: float, *, clock: Callable[[], float] = monotonic
    ) -> None:
        import redis.asyncio  # noqa: PLC0415 - 47 MB that only an installation with a Redis pays
        from redis.exceptions import RedisError  # noqa: PLC0415

        self._errors: tuple[type[Exception], ...] = (RedisError, OSError)
        self._name, self._burst, self._rate = name, burst, per_second
        self._own = MemoryBuckets(burst, per_second)
        self._clock = clock
        self._away_until = -math.inf
        self._client: Any = redis.asyncio.Redis.from_url(url, **socket_options(REDIS_TIMEOUT_SECONDS))
        self._script: Any = self._client.register_script(_TAKE)

    async def take(self, key: str, cost: int) -> Grant:
        """See `Buckets`."""
        cost = min(cost, self._burst)
        if self._clock() < self._away_until:
            return await self._own.take(key, cost)
        try:
            allowed, left = await self._script(
                keys=[f"{PREFIX}:{self._name}:rate:{key}"], args=[self._rate, self._burst, cost]
            )
        except self._errors as error:
            # Half a second of waiting, and a line in the log, for every request would be what a stranger wants.
            self._away_until = self._clock() + AWAY_SECONDS
            log.warning("rate_limit_not_shared", reason=type(error).__name__)
            return await self._own.take(key, cost)
        return _grant(bool(allowed), float(left), cost, self._burst, self._rate)

    async def give_back(self, key: str, cost: int) -> Grant:
        """See `Buckets`."""
        return await self.take(key, -cost)

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


def _grant(is_allowed: bool, left: float, cost: int, burst: int, rate: float) -> Grant:
    retry_after = 0 if is_allowed else max(1, math.ceil((cost - left) / rate))
    left = min(left, burst)
    return Grant(is_allowed, max(0, math.floor(left + 1e-6)), math.ceil((burst - left) / rate - 1e-6), retry_after)


@asynccontextmanager
async def open_buckets(settings: Settings, database: Database) -> AsyncIterator[Buckets]:
    """Lend the buckets that the settings ask for."""
    if settings.redis_url is None:
        yield MemoryBuckets(settings.api_rate_burst, settings.api_rate_per_second)
        return
    url = settings.redis_url.get_secret_value()
    buckets = RedisBuckets(url, installation_name(database), settings.api_rate_burst, settings.api_rate_per_second)
    try:
        yield buckets
    finally:
        await buckets.close()
