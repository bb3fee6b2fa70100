"""Work beside other work: its end is seen, said, and answered."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from structlog.testing import capture_logs

from killreport import background
from killreport.background import Errands, beside, keep, racing, wait_or_end
from killreport.backoff import FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS


class Work:
    """Fails so many times, then waits for ever."""

    def __init__(self, failures: int) -> None:
        self.left = failures
        self.begun = 0
        self.lives = asyncio.Event()

    async def __call__(self) -> None:
        """Fail, or live on."""
        self.begun += 1
        if self.left:
            self.left -= 1
            raise IndexError("list index out of range")
        self.lives.set()
        await asyncio.Event().wait()


class Pauses:
    """What is slept instead of sleeping, and a clock that such sleeps do not move."""

    def __init__(self) -> None:
        self.slept: list[float] = []
        self.now = 0.0

    async def sleep(self, seconds: float) -> None:
        """Note the pause."""
        self.slept.append(seconds)


async def test_work_that_fails_is_said_and_begun_again() -> None:
    work, pauses = Work(3), Pauses()

    with capture_logs() as logs:
        async with beside(keep(work, "publishing", sleep=pauses.sleep, clock=lambda: pauses.now)):
            await work.lives.wait()

    assert work.begun == 4
    assert pauses.slept == [FIRST_PAUSE_SECONDS, 2 * FIRST_PAUSE_SECONDS, 4 * FIRST_PAUSE_SECONDS]
    assert [(line["event"], line["task"], line["reason"]) for line in logs] == [
        ("task_failed", "publishing", "IndexError: list index out of range")
    ] * 3


async def test_pauses_are_bounded_and_begin_anew_after_a_steady_time() -> None:
    work, pauses = Work(20), Pauses()

    async def steady() -> None:
        pauses.now += 61 if work.left == 1 else 0
        await work()

    with capture_logs():
        async with beside(keep(steady, "steady", sleep=pauses.sleep, clock=lambda: pauses.now)):
            await work.lives.wait()

    assert max(pauses.slept) == MAX_PAUSE_SECONDS
    assert pauses.slept[-2:] == [MAX_PAUSE_SECONDS, FIRST_PAUSE_SECONDS]


async def test_endless_work_that_returns_is_said_and_begun_again() -> None:
    pauses, turns = Pauses(), iter(range(2))
    lives = asyncio.Event()

    async def work() -> None:
        if next(turns, None) is None:
            lives.set()
            await asyncio.Event().wait()

    with capture_logs() as logs:
        async with beside(keep(work, "listening", sleep=pauses.sleep)):
            await lives.wait()

    assert [line["reason"] for line in logs] == ["it returned, though it should go on"] * 2


async def test_work_that_may_end_ends() -> None:
    async def work() -> None:
        return

    with capture_logs() as logs:
        await keep(work, "once", may_end=True)

    assert logs == []


@pytest.mark.parametrize("way", ["beside", "errand"])
async def test_a_failure_is_logged_when_it_happens_and_not_when_somebody_asks(way: str) -> None:
    errands = Errands()

    async def fail() -> None:
        raise KeyError("nobody")

    with capture_logs() as logs:
        if way == "beside":
            async with beside(fail(), "settle") as task:
                await asyncio.wait([task])
        else:
            errands.run(fail(), "settle")
            await errands.finish()

    assert [(line["task"], line["reason"], line["log_level"]) for line in logs] == [
        ("settle", "KeyError: 'nobody'", "error")
    ]


async def test_what_is_left_at_the_end_of_the_block_is_over_when_it_is_left() -> None:
    async with beside(asyncio.Event().wait()) as task:
        assert not task.done()
    async with racing(asyncio.Event().wait(), asyncio.Event().wait()) as tasks:
        assert not any(task.done() for task in tasks)

    assert task.cancelled()
    assert all(task.cancelled() for task in tasks)


async def test_an_errand_is_held_on_to_until_it_is_done() -> None:
    errands, done = Errands(), []

    async def work(value: Any) -> None:
        await asyncio.sleep(0)
        done.append(value)

    for value in range(3):
        errands.run(work(value), "errand")
    await errands.finish()

    assert done == [0, 1, 2]


async def test_a_cancellation_is_not_lost_in_the_moment_in_which_the_event_is_set() -> None:
    event, turns = asyncio.Event(), 0

    async def follow() -> None:
        nonlocal turns
        while True:
            await wait_or_end(event, 60)
            event.clear()
            turns += 1

    task = asyncio.create_task(follow())
    await asyncio.sleep(0)
    event.set()
    task.cancel()
    await asyncio.wait([task], timeout=5)
    assert (task.cancelled(), turns) == (True, 0)


async def test_one_that_lost_its_cancellation_is_told_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(background, "TOLD_AGAIN_SECONDS", 0.01)
    lost = 0

    async def lose_two() -> None:
        nonlocal lost
        while True:
            try:
                await asyncio.Event().wait()
            except asyncio.CancelledError:
                lost += 1
                if lost == 3:
                    raise

    with capture_logs() as logs:
        async with beside(lose_two(), "deaf"):
            await asyncio.sleep(0)
    assert lost == 3
    assert {line["event"] for line in logs} == {"task_goes_on"}
