"""Token buckets in Redis, shared by processes."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator

import pytest
import redis.asyncio

from killreport.coordination.events import PREFIX
from killreport.coordination.rate_limit import RedisBuckets


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


async def test_what_is_given_back_fills_the_bucket_of_all_processes_and_no_more(
    two: tuple[RedisBuckets, RedisBuckets],
) -> None:
    one, other = two
    assert (await one.take("a", 600)).left == 400
    assert (await other.give_back("a", 500)).left == 900
    assert (await one.give_back("a", 500)).left == 1000
    assert (await other.take("a", 1000)).left == 0


async def test_a_redis_that_is_away_is_not_asked_for_every_request(monkeypatch: pytest.MonkeyPatch) -> None:
    moments = iter((0.0, 0.0, 1.0, 4.0, 6.0, 6.0, 7.0))
    logged: list[str] = []
    monkeypatch.setattr("killreport.coordination.rate_limit.log.warning", lambda event, **_: logged.append(event))
    buckets = RedisBuckets("redis://127.0.0.1:1/0", "nowhere", 10, 0.1, clock=lambda: next(moments))
    # At 0 s, 1, 4, 6 and 7; the clock is looked at once more where it failed.
    for _ in range(5):
        await buckets.take("a", 1)
    assert logged == ["rate_limit_not_shared"] * 2
    await buckets.close()


async def test_without_redis_each_process_counts_by_itself() -> None:
    buckets = RedisBuckets("redis://127.0.0.1:1/0", "nowhere", 10, 0.1)
    assert (await buckets.take("a", 10)).is_allowed
    assert not (await buckets.take("a", 10)).is_allowed
    await buckets.close()
