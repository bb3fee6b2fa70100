"""A process that watches its own memory asks itself to stop, once, and only above the limit."""

from __future__ import annotations

import asyncio
import os

from killreport.cli.memory import proportional_megabytes, stop_above


async def test_above_the_limit_the_process_is_told_to_stop() -> None:
    stop = asyncio.Event()
    assert proportional_megabytes([os.getpid()]) > 1
    async with asyncio.timeout(10):
        with stop_above(1, stop):
            await stop.wait()


async def test_below_the_limit_it_goes_on_and_the_watching_ends_with_the_block() -> None:
    stop = asyncio.Event()
    before = asyncio.all_tasks()
    with stop_above(1_000_000, stop, check_seconds=0.001):
        for _ in range(20):
            await asyncio.sleep(0.001)
        watching = asyncio.all_tasks() - before
    _, unfinished = await asyncio.wait(watching, timeout=10)
    assert (stop.is_set(), unfinished) == (False, set())


async def test_without_a_limit_nothing_is_watched() -> None:
    before = asyncio.all_tasks()
    with stop_above(None, asyncio.Event()):
        assert asyncio.all_tasks() == before
