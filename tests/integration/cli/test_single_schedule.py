"""The schedule of the fleet in one process: what was broken off or missed before it began is done at once."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from rich.console import Console

from killreport.cli.processes.single import SingleProcess
from killreport.config import Settings
from killreport.coordination.job_runs import Status, begin_run, end_run
from killreport.db.database import Database
from killreport.fleet.table import find_process

JOB = "queue-alliances"
YEARLY = replace(find_process(JOB), schedule="0 0 1 1 *")


async def record(database: Database, status: Status, ago: timedelta) -> None:
    async with database.transaction() as connection:
        run_id = await begin_run(connection, JOB, "schedule")
        await end_run(connection, run_id, status, {})
        await connection.execute("update job_run set started_at = now() - $2::interval where run_id = $1", run_id, ago)


async def runs_at_once(database: Database, home: Path, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Tell whether the job is begun without waiting for an instant of its schedule."""
    begun, slept = asyncio.Event(), asyncio.Event()

    async def run(*_arguments: object) -> None:
        begun.set()

    async def sleep(_seconds: float) -> None:
        slept.set()
        await asyncio.Event().wait()

    process = SingleProcess(Settings(home=home), Console())
    monkeypatch.setattr(process, "_run_job", run)
    monkeypatch.setattr("killreport.cli.processes.single.asyncio.sleep", sleep)
    following = asyncio.create_task(process.follow_schedule(YEARLY, database))
    await slept.wait()
    following.cancel()
    await asyncio.wait([following])
    return begun.is_set()


@pytest.mark.parametrize(("status", "is_begun"), [("stopped", True), ("succeeded", False), ("failed", False)], ids=str)
async def test_a_run_that_was_broken_off_is_begun_again(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, status: Status, is_begun: bool
) -> None:
    await record(database, "succeeded", timedelta(days=500))
    await record(database, status, timedelta(hours=1))
    assert await runs_at_once(database, tmp_path, monkeypatch) is is_begun


async def test_who_never_ran_waits_for_the_schedule(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert await runs_at_once(database, tmp_path, monkeypatch) is False
