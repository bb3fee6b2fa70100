"""A job that is asked whether it is due runs once for every time its schedule comes round."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from killreport.config import Settings
from killreport.coordination.job_runs import begin_run, end_run, present_instant
from killreport.cron import entities
from killreport.cron.progress import JobProgress
from killreport.cron.running import JobReport, run_job
from killreport.db.database import Database
from killreport.fleet.schedule import last_due
from killreport.fleet.table import find_process
from tests.integration.cron.conftest import Runs
from tests.integration.cron.test_job_command import run as run_command

JOB = "snapshot-alliances"
DAY = timedelta(days=1)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return what grows by one with each run that does the job's work, which is nothing."""
    done: list[str] = []

    async def work(_settings: Settings, _database: Database, *, progress: JobProgress) -> str:
        done.append("done")
        return "Done."

    monkeypatch.setattr(entities, "snapshot_alliances", work)
    return done


@pytest.fixture
async def due_at(database: Database) -> datetime:
    """Return the next time the schedule comes round, by the database's clock."""
    async with database.connection() as connection:
        now = await present_instant(connection)
    due = last_due(find_process(JOB), now + DAY)
    assert due is not None
    assert now < due
    return due


async def ask(settings: Settings, database: Database, at: datetime) -> JobReport:
    return await run_job(JOB, settings, database, stop=asyncio.Event(), trigger="schedule", if_due_at=at)


async def record(database: Database, began: datetime, status: str, error: str | None = None) -> None:
    async with database.transaction() as connection:
        run_id = await begin_run(connection, JOB, "schedule")
        if status != "running":
            await end_run(connection, run_id, status, {}, error=error)  # type: ignore[arg-type]
        await connection.execute("update job_run set started_at = $2 where run_id = $1", run_id, began)


async def test_the_first_question_is_put_on_record_and_starts_nothing(
    settings: Settings, database: Database, done: list[str], runs: Runs, due_at: datetime
) -> None:
    report = await ask(settings, database, due_at - DAY + timedelta(seconds=30))

    [noted] = await runs()
    assert (done, report.status, noted.status, noted.trigger) == ([], "skipped", "skipped", "schedule")
    assert report.sentence == f"{JOB} is not due before {due_at:%Y-%m-%d %H:%M} UTC."


async def test_it_runs_when_its_schedule_has_come_round_and_not_a_second_time(
    settings: Settings, database: Database, done: list[str], runs: Runs, due_at: datetime
) -> None:
    await record(database, due_at - DAY, "succeeded")
    statuses = [
        (await ask(settings, database, at)).status
        for at in (due_at - timedelta(seconds=1), due_at, due_at - timedelta(hours=1))
    ]
    await record(database, due_at + timedelta(seconds=2), "succeeded")
    again = await ask(settings, database, due_at + timedelta(hours=1))

    assert (statuses, done, again.status) == (["skipped", "succeeded", "skipped"], ["done"], "skipped")
    assert [run.trigger for run in await runs()] == ["schedule"] * 3


async def test_what_was_missed_runs_once(
    settings: Settings, database: Database, done: list[str], due_at: datetime
) -> None:
    await record(database, due_at - 40 * DAY, "succeeded")
    # Recorded by the clock, so after the last time it was due.
    reports = [await ask(settings, database, due_at - DAY + timedelta(seconds=30)) for _ in range(2)]
    assert ([report.status for report in reports], done) == (["succeeded", "skipped"], ["done"])


@pytest.mark.parametrize(("status", "error"), [("stopped", None), ("running", None), ("failed", "its process died")])
async def test_a_run_that_was_broken_off_is_taken_up_again(  # noqa: PLR0917
    settings: Settings, database: Database, done: list[str], due_at: datetime, status: str, error: str | None
) -> None:
    await record(database, due_at - 2 * DAY, "succeeded")
    await record(database, due_at - DAY + timedelta(seconds=1), status, error)
    report = await ask(settings, database, due_at - DAY + timedelta(minutes=5))
    assert (report.status, done) == ("succeeded", ["done"])


async def test_a_run_that_failed_by_itself_waits_for_its_next_time(
    settings: Settings, database: Database, done: list[str], due_at: datetime
) -> None:
    await record(database, due_at - DAY + timedelta(seconds=1), "failed", "ESI does not answer.")
    report = await ask(settings, database, due_at - DAY + timedelta(minutes=5))
    assert (report.status, done) == ("skipped", [])


async def test_the_command_asks_and_only_jobs_can_be_asked(settings: Settings, runs: Runs) -> None:
    status, out, _ = await run_command(settings, JOB, "--if-due")
    assert (status, out.startswith(f"{JOB} is not due before ")) == (0, True)
    assert [run.status for run in await runs()] == ["skipped"]

    status, out, err = await run_command(settings, "worker-types", "--if-due")
    assert (status, out, err) == (1, "", ["killreport: --if-due is for jobs; worker-types is a worker."])


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ("2026-11-29 00:00:00", "2026-11-29 00:00"),
        ("2026-11-29 00:00:00.5", "2026-11-29 00:00"),
        ("2026-11-28 23:59:59.999999", "2026-11-22 00:00"),
        ("2026-12-05 12:00:00", "2026-11-29 00:00"),
    ],
)
def test_the_last_time_a_job_was_due_may_be_now(now: str, expected: str) -> None:
    due = last_due(find_process("queue-alliances"), datetime.fromisoformat(now).replace(tzinfo=UTC))
    assert f"{due:%Y-%m-%d %H:%M}" == expected
