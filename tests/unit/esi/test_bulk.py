"""Many ids at once: a bad one costs few requests, and a batch of bad ones no more than its bounds."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from killreport.errors import NotFound, Refused, Transient, Unavailable
from killreport.esi.bulk import MAX_REFUSALS, MAX_REQUESTS, in_bulk


class Batches:
    """Answers ids but refuses a batch with a bad one."""

    def __init__(self, *bad: int) -> None:
        self.bad = set(bad)
        self.sizes: list[int] = []
        self.refusals = 0

    async def ask(self, ids: Sequence[int]) -> list[int]:
        self.sizes.append(len(ids))
        if self.bad.intersection(ids):
            self.refusals += 1
            raise NotFound("one of them") if len(self.sizes) % 2 else Refused("one of them")
        return list(ids)


async def test_many_ids_are_asked_a_thousand_at_a_time_and_none_twice() -> None:
    batches = Batches()
    found = await in_bulk([*range(2500), *range(100)], batches.ask)
    assert sorted(found) == list(range(2500))
    assert sorted(batches.sizes) == [500, 1000, 1000]


@pytest.mark.parametrize("bad", [0, 1, 249, 250, 499, 700, 998, 999])
async def test_a_bad_id_costs_nobody_else_an_answer(bad: int) -> None:
    batches = Batches(bad)
    found = await in_bulk(range(1000), batches.ask)
    assert sorted(found) == [number for number in range(1000) if number != bad]
    assert len(batches.sizes) <= 21
    assert batches.refusals <= 6


@pytest.mark.parametrize("size", [1, 2, 3, 5, 64, 1000])
async def test_a_batch_of_bad_ids_alone_ends_at_the_bounds(size: int) -> None:
    batches = Batches(*range(size))
    assert await in_bulk(range(size), batches.ask) == []
    assert batches.refusals <= MAX_REFUSALS
    assert len(batches.sizes) <= MAX_REFUSALS + 1


@pytest.mark.parametrize("bad", [2, 3, 5, 20, 333])
async def test_several_bad_ids_stay_within_the_bounds_and_none_is_answered(bad: int) -> None:
    odd = {number * 997 % 1000 for number in range(bad)}
    batches = Batches(*odd)
    found = await in_bulk(range(1000), batches.ask)
    assert not odd.intersection(found)
    assert len(set(found)) == len(found)
    assert batches.refusals <= MAX_REFUSALS
    assert len(batches.sizes) <= MAX_REQUESTS
    if bad == 2:
        assert len(found) > 700


async def test_one_bad_batch_costs_the_next_nothing() -> None:
    batches = Batches(*range(1000))
    assert sorted(await in_bulk(range(2000), batches.ask)) == list(range(1000, 2000))


async def test_no_ids_are_no_request() -> None:
    batches = Batches()
    assert await in_bulk([], batches.ask) == []
    assert batches.sizes == []


async def test_a_pause_is_waited_for_as_long_as_there_is_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    async def sleep(seconds: float) -> None:
        waited.append(seconds)

    monkeypatch.setattr(asyncio, "sleep", sleep)
    answers: list[Exception | None] = [Transient("wait", 40.0), Transient("wait", 40.0), None, Transient("wait", 40.0)]

    async def ask(ids: Sequence[int]) -> list[int]:
        error = answers.pop(0)
        if error is not None:
            raise error
        return list(ids)

    with pytest.raises(Transient):
        await in_bulk(range(2000), ask, patience_seconds=100.0)
    assert waited == [40.0, 40.0]


@pytest.mark.parametrize("error", [Unavailable("away"), Transient("a failure of the server")])
async def test_an_outage_is_raised_and_no_id_is_left_out_for_it(error: Exception) -> None:
    calls = 0

    async def ask(_ids: Sequence[int]) -> list[int]:
        nonlocal calls
        calls += 1
        raise error

    with pytest.raises(type(error)):
        await in_bulk(range(64), ask, patience_seconds=1000.0)
    assert calls == 1
