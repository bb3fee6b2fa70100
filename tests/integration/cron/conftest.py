"""Jobs run as the command line runs them, against a simulator."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from pathlib import Path
from typing import Any

import pytest

from killreport.config import Settings
from killreport.coordination.job_runs import JobRun, list_job_runs
from killreport.cron.running import JobReport, run_job
from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.sim.server import run_simulator

RunJob = Callable[..., Coroutine[Any, Any, JobReport]]
Runs = Callable[[], Awaitable[list[JobRun]]]


@pytest.fixture
async def simulator(tmp_path: Path, universe: Universe) -> AsyncIterator[str]:
    """Yield the URL of a silent simulator."""
    async with run_simulator(tmp_path / "sim", universe=universe) as url:
        yield url


@pytest.fixture
def job_settings(settings: Settings, simulator: str) -> Settings:
    """Return settings whose outside hosts are the simulator, asked as fast as it answers."""
    return settings.replace(
        **dict.fromkeys(("r2z2_url", "zkillboard_url", "esi_url", "everef_url"), simulator),
        esi_requests_per_second=5000.0,
        feed_requests_per_second=5000.0,
    )


@pytest.fixture
def run(job_settings: Settings, database: Database) -> RunJob:
    """Return what runs a job by name; options as of `run_job`."""

    async def run(name: str, **options: object) -> JobReport:
        arguments = {"stop": asyncio.Event(), **options}
        return await run_job(name, job_settings, database, **arguments)  # type: ignore[arg-type]

    return run


@pytest.fixture
def runs(database: Database) -> Runs:
    """Return what lists the recorded runs, the newest first."""

    async def runs() -> list[JobRun]:
        async with database.connection() as connection:
            return await list_job_runs(connection)

    return runs
