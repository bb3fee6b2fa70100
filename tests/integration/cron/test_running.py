"""A job runs alone, within its time, and is on the record however it ends."""

from __future__ import annotations

import asyncio
import dataclasses
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest

from killreport.config import Settings
from killreport.coordination import job_runs
from killreport.coordination.job_runs import PROCESS_DIED, begin_run, end_run, last_runs
from killreport.cron import entities, running
from killreport.cron.progress import JobProgress
from killreport.cron.running import JobReport, run_job
from killreport.db.database import Database
from killreport.errors import NotFound, Permanent, Refused, Transient, Unavailable
from killreport.fleet.table import find_process
from tests.integration.cron.conftest import Runs

JOB = "snapshot-alliances"

Work = Callable[[JobProgress], Awaitable[str]]


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Work], None]:
    """Return what puts other work in the place of the job's."""

    def use(work: Work) -> None:
        async def run(_settings: Settings, _database: Database, *, progress: JobProgress) -> str:
            return await work(progress)

        monkeypatch.setattr(entities, "snapshot_alliances", run)

    return use


class Endless:
    """Work that counts once, then waits until it is cancelled."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.was_cancelled = False

    async def __call__(self, progress: JobProgress) -> str:
        progress.count("kept", 2)
        self.begun.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.was_cancelled = True
            raise
        raise AssertionError("nobody sets it")


@asynccontextmanager
async def beginning(
    settings: Settings, database: Database, work: Endless, stop: asyncio.Event
) -> AsyncIterator[asyncio.Task[JobReport]]:
    """Lend a run that has begun its work; it is over at the block's end."""
    task = asyncio.create_task(run_job(JOB, settings, database, stop=stop))
    async with asyncio.timeout(10):
        await work.begun.wait()
        try:
            yield task
        finally:
            stop.set()
            await asyncio.wait([task])


async def run_now(settings: Settings, database: Database) -> JobReport:
    return await run_job(JOB, settings, database, stop=asyncio.Event())


async def test_a_run_that_succeeds_is_recorded_with_its_figures_and_its_sentence(
    settings: Settings, database: Database, use: Callable[[Work], None], runs: Runs
) -> None:
    async def work(progress: JobProgress) -> str:
        progress.count("kept", 3)
        return "3 kept."

    use(work)
    report = await run_now(settings, database)

    [recorded] = await runs()
    assert (report.job, report.status, report.counts, report.sentence) == (JOB, "succeeded", {"kept": 3}, "3 kept.")
    assert json.loads(report.to_json()) == dataclasses.asdict(report)
    assert (recorded.job, recorded.status, recorded.trigger, recorded.counts, recorded.report, recorded.error) == (
        *(JOB, "succeeded", "hand", {"kept": 3}, "3 kept."),
        None,
    )
    assert recorded.seconds is not None
    assert 0 <= recorded.seconds < 10


async def test_a_second_run_finds_the_first_and_ends_well(
    settings: Settings, database: Database, use: Callable[[Work], None], runs: Runs
) -> None:
    work = Endless()
    use(work)
    async with beginning(settings, database, work, asyncio.Event()):
        second = await run_now(settings, database)
        begun = (await runs())[1].started_at

    skipped, first = await runs()
    sentence = f"{JOB} is running already since {begun:%Y-%m-%d %H:%M:%S} UTC."
    assert (second.status, second.sentence, second.counts) == ("skipped", sentence, {})
    assert (skipped.status, skipped.report, first.status) == ("skipped", sentence, "stopped")


@pytest.mark.parametrize(
    "failure",
    [
        (Unavailable("ESI does not answer."), "ESI does not answer."),
        (Transient("Ask later.", 5.0), "Ask later."),
        (ZeroDivisionError("division by zero"), "ZeroDivisionError: division by zero"),
    ],
)
async def test_a_failure_is_raised_and_recorded_with_what_was_done_before_it(
    settings: Settings,
    database: Database,
    use: Callable[[Work], None],
    runs: Runs,
    failure: tuple[Exception, str],
) -> None:
    error, recorded = failure

    async def work(progress: JobProgress) -> str:
        progress.count("kept", 3)
        raise error

    use(work)
    with pytest.raises(type(error)) as raised:
        await run_now(settings, database)

    assert raised.value is error
    [run] = await runs()
    assert (run.status, run.error, run.report, run.counts) == ("failed", recorded, None, {"kept": 3})
    async with database.connection() as connection:
        assert await last_runs(connection) == {JOB: run}


async def test_a_run_that_is_told_to_stop_is_broken_off_and_recorded_as_stopped(
    settings: Settings, database: Database, use: Callable[[Work], None], runs: Runs
) -> None:
    work, stop = Endless(), asyncio.Event()
    use(work)
    async with beginning(settings, database, work, stop) as task:
        stop.set()
        report = await task

    [run] = await runs()
    assert work.was_cancelled
    assert (report.status, report.counts, run.status, run.error) == ("stopped", {"kept": 2}, "stopped", None)


async def test_a_run_whose_task_is_cancelled_is_recorded_as_failed(
    settings: Settings, database: Database, use: Callable[[Work], None], runs: Runs
) -> None:
    work = Endless()
    use(work)
    async with beginning(settings, database, work, asyncio.Event()) as task:
        task.cancel()
        await asyncio.wait([task])

    [run] = await runs()
    assert (work.was_cancelled, task.cancelled(), run.status) == (True, True, "failed")


async def test_a_run_beyond_its_time_is_broken_off_and_recorded_as_failed(
    settings: Settings,
    database: Database,
    use: Callable[[Work], None],
    runs: Runs,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    work = Endless()
    use(work)
    row = dataclasses.replace(find_process(JOB), time_limit=timedelta(milliseconds=50))
    monkeypatch.setattr(running, "find_process", lambda _name: row)
    with pytest.raises(Permanent, match=r"longer than its limit of 0:00:00\.05"):
        await run_now(settings, database)

    [run] = await runs()
    assert (work.was_cancelled, run.status, run.counts) == (True, "failed", {"kept": 2})


async def test_a_run_that_loses_its_lock_is_broken_off(
    settings: Settings, database: Database, use: Callable[[Work], None], runs: Runs
) -> None:
    work = Endless()
    use(work)
    async with beginning(settings, database, work, asyncio.Event()) as task:
        async with database.connection() as connection:
            ended = await connection.fetchval(
                """select count(pg_terminate_backend(pid)) from pg_stat_activity
                   where application_name = $1 and datname = current_database()""",
                f"lock job {JOB}",
            )
        await asyncio.wait([task])

    [run] = await runs()
    assert (ended, work.was_cancelled, run.status) == (1, True, "failed")
    assert isinstance(task.exception(), Unavailable)


async def test_a_run_whose_process_died_is_closed_by_the_next_and_stays_so(
    settings: Settings, database: Database, runs: Runs
) -> None:
    async with database.connection() as connection:
        dead = await begin_run(connection, JOB, "schedule")
    await run_now(settings, database)
    async with database.connection() as connection:
        await end_run(connection, dead, "succeeded", {}, report="too late")

    now, before = await runs()
    assert (now.status, before.status, before.error, before.trigger) == (
        *("succeeded", "failed"),
        *(PROCESS_DIED, "schedule"),
    )
    assert before.ended_at is not None


async def test_the_oldest_runs_of_a_job_are_forgotten_and_no_others(
    settings: Settings, database: Database, runs: Runs, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(job_runs, "KEPT_RUNS", 2)
    async with database.connection() as connection:
        await begin_run(connection, "update-prices", "hand")
    for _ in range(4):
        await run_now(settings, database)
    assert [run.job for run in await runs()] == [JOB, JOB, "update-prices"]


async def test_what_is_no_job_cannot_be_run_as_one(settings: Settings, database: Database, runs: Runs) -> None:
    with pytest.raises(Refused, match="worker-characters is a worker, not a job"):
        await run_job("worker-characters", settings, database, stop=asyncio.Event())
    with pytest.raises(NotFound, match="did you mean snapshot-alliances"):
        await run_job("snapshot-alliance", settings, database, stop=asyncio.Event())
    assert await runs() == []
