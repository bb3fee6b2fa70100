"""Token buckets in Redis, shared by processes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from killreport.cache.buckets import RedisBuckets
from killreport.cache.events import PREFIX


@pytest.fixture
async def two(redis_url: str) -> AsyncIterator[tuple[RedisBuckets, RedisBuckets]]:
    """Yield the same buckets as two processes see them; skips the test where there is no Redis."""
    name = secrets.token_hex(6)
    one, other = RedisBuckets(redis_url, name, 1000, 0.1), RedisBuckets(redis_url, name, 1000, 0.1)
    yield one, other
    await one.close()
    await other.close()
    async with redis.asyncio.Redis.from_url(redis_url) as client:
        if left := [key async for key in client.scan_iter(f"{PREFIX}:{name}:*")]:
            await client.delete(*left)


async def test_processes_spend_from_one_bucket(two: tuple[RedisBuckets, RedisBuckets]) -> None:
    one, other = two
    assert (await one.take("a", 600)).left == 400
    refused = await other.take("a", 600)
    assert (refused.is_allowed, refused.left) == (False, 400)
    assert 1900 < refused.retry_after <= 2000
    assert (await other.take("a", 400)).is_allowed
    assert (await other.take("b", 1000)).is_allowed


async def test_without_redis_each_process_counts_by_itself() -> None:
    buckets = RedisBuckets("redis://127.0.0.1:1/0", "nowhere", 10, 0.1)
    assert (await buckets.take("a", 10)).is_allowed
    assert not (await buckets.take("a", 10)).is_allowed
    await buckets.close()
