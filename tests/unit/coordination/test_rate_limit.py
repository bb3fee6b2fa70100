"""Token buckets in memory."""

from __future__ import annotations

import pytest

from killreport.coordination import rate_limit as module
from killreport.coordination.rate_limit import Grant, MemoryBuckets


class Clock:
    """A clock that stands still until told."""

    now = 50.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


async def test_a_bucket_is_spent_refuses_and_fills_again() -> None:
    clock = Clock()
    buckets = MemoryBuckets(100, 10, clock=clock)
    assert await buckets.take("a", 70) == Grant(True, 30, 7, 0)
    assert await buckets.take("a", 50) == Grant(False, 30, 7, 2)
    assert await buckets.take("b", 50) == Grant(True, 50, 5, 0)
    clock.now += 2
    assert await buckets.take("a", 50) == Grant(True, 0, 10, 0)
    clock.now += 1000
    assert await buckets.take("a", 1) == Grant(True, 99, 1, 0)


async def test_what_costs_more_than_a_bucket_empties_it() -> None:
    buckets = MemoryBuckets(100, 10, clock=Clock())
    assert await buckets.take("a", 1000) == Grant(True, 0, 10, 0)
    assert await buckets.take("a", 1000) == Grant(False, 0, 10, 10)


async def test_clients_are_forgotten_beyond_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_CLIENTS", 10)
    buckets = MemoryBuckets(100, 10, clock=Clock())
    for number in range(1000):
        await buckets.take(str(number), 100)
    assert len(buckets._full_at) == 10
    assert not (await buckets.take("999", 1)).is_allowed


@pytest.mark.parametrize("seconds", [0.0, 3.0, 1_000.0])
async def test_what_is_given_back_fills_a_bucket_and_no_more(seconds: float) -> None:
    now = 0.0
    buckets = MemoryBuckets(100, 1.0, clock=lambda: now)
    assert (await buckets.take("a", 60)).left == 40
    now = seconds
    assert (await buckets.give_back("a", 50)).left == min(100, 90 + int(seconds))
    assert (await buckets.take("a", 1)).left == min(100, 90 + int(seconds)) - 1
