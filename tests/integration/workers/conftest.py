"""A worker that runs beside the test, the log it writes, and a simulator for it to follow."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.sim.server import run_simulator
from killreport.workers import redisq
from tests.integration.workers.lines import Lines, watch_log

RunWorker = Callable[[Settings], AbstractAsyncContextManager[asyncio.Task[None]]]


@pytest.fixture
def lines() -> Iterator[Lines]:
    with watch_log() as lines:
        yield lines


@pytest.fixture
async def sim(tmp_path: Path, universe: Universe) -> AsyncIterator[str]:
    """Yield the address of a simulator in which nothing has happened yet."""
    async with run_simulator(tmp_path / "sim", universe=universe, seed=1) as url:
        yield url


@pytest.fixture
def quick(settings: Settings) -> Settings:
    """Return settings of a feed that is asked as fast as it answers."""
    return settings.replace(feed_requests_per_second=5000.0, feed_wait_seconds=0.01, feed_gap_seconds=0.05)


@pytest.fixture
def run_worker(database: Database) -> RunWorker:
    """Return a context manager that runs the worker during a block, and stops it at the end as SIGTERM would."""

    @asynccontextmanager
    async def run(settings: Settings) -> AsyncIterator[asyncio.Task[None]]:
        stop = asyncio.Event()
        task = asyncio.create_task(redisq.run(settings, database, stop=stop))
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait([task], timeout=10)
            if not task.done():
                task.cancel()
                raise AssertionError("the worker did not stop")
        task.result()

    return run
