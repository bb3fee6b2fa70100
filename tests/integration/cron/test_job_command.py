"""`killreport run NAME` for a job, as it is typed, stopped and killed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from killreport.config import Settings
from killreport.coordination.job_runs import PROCESS_DIED
from killreport.db.database import Database
from killreport.environment import child_environment
from killreport.fleet.schedule import AWAY_STATUS, BROKEN_OFF_STATUS
from killreport.leaderboard.place_count import LIVE_KILLMAILS
from tests.integration.cron.conftest import Runs

PATIENCE_SECONDS = 60
THE_FORGE = 10000002


@asynccontextmanager
async def command(settings: Settings, *arguments: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """Run the command; whatever is left of it at the block's end is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killreport", "run", *arguments),
        env=child_environment(settings, KILLREPORT_LOG_FORMAT="json"),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def run(settings: Settings, *arguments: str) -> tuple[int | None, str, list[str]]:
    """Return the status, stdout, and what stderr says beside the log."""
    async with command(settings, *arguments) as process:
        out, err = await process.communicate()
        return process.returncode, out.decode(), [line for line in err.decode().splitlines() if line[0] != "{"]


@asynccontextmanager
async def silent_host() -> AsyncIterator[tuple[str, asyncio.Event]]:
    """Lend the URL of a host that takes requests and never answers, and what is set once it has one."""
    asked, over = asyncio.Event(), asyncio.Event()

    async def keep(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        asked.set()
        await over.wait()
        writer.close()

    server = await asyncio.start_server(keep, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", asked
    finally:
        over.set()
        server.close()
        await server.wait_closed()


async def test_a_job_prints_one_line_or_one_object(job_settings: Settings, runs: Runs) -> None:
    first = await run(job_settings, "queue-alliances")
    status, out, _ = await run(job_settings, "queue-alliances", "--json")

    newest, before = await runs()
    assert first == (0, f"{before.report}\n", [])
    report = json.loads(out)
    assert status == 0
    assert (report["job"], report["status"], report["sentence"]) == ("queue-alliances", "succeeded", newest.report)
    assert report["counts"] == newest.counts == before.counts


async def test_all_is_for_jobs_that_leave_out_what_is_not_due(settings: Settings, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute(
            "insert into total_stat values ($1, $2, $3, 0, 0, 0, 0, 0, 0, 0, 0, 0)", 9, THE_FORGE, LIVE_KILLMAILS + 1
        )
    told = [await run(settings, "update-rankings", *options) for options in ((), (), ("--all",))]
    assert [status for status, _, _ in told] == [0, 0, 0]
    counted = [re.search(r"all time of (\d+) busy", out) for _, out, _ in told]
    assert [found and found[1] for found in counted] == ["1", "0", "1"]

    status, out, said = await run(settings, "queue-alliances", "--all")
    assert (status, out) == (1, "")
    assert said == [
        "killreport: --all is for queue-characters and update-rankings; queue-alliances has no such choice."
    ]


async def test_a_job_that_fails_says_why_and_is_on_the_record(settings: Settings, runs: Runs) -> None:
    status, out, told = await run(settings, "repair-history")
    [recorded] = await runs()
    sentence = "127.0.0.1:1 does not answer (Connection refused)."
    assert (status, out, told) == (AWAY_STATUS, "", [f"killreport: {sentence}"])
    assert (recorded.status, recorded.error) == ("failed", sentence)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_job_that_is_told_to_stop_ends_in_order_and_says_that_it_is_due_again(
    settings: Settings, runs: Runs, number: signal.Signals
) -> None:
    async with (
        silent_host() as (url, asked),
        command(settings.replace(esi_url=url), "queue-alliances") as process,
    ):
        await asked.wait()
        process.send_signal(number)
        out, _ = await process.communicate()
    [recorded] = await runs()
    assert process.returncode == BROKEN_OFF_STATUS
    assert out.startswith(b"Stopped before the end")
    assert recorded.status == "stopped"


async def test_a_second_process_finds_the_first_and_the_one_after_a_kill_takes_over(
    job_settings: Settings, database: Database, runs: Runs
) -> None:
    async with (
        silent_host() as (url, asked),
        command(job_settings.replace(esi_url=url), "queue-alliances") as process,
    ):
        await asked.wait()
        beside = await run(job_settings, "queue-alliances")
        process.kill()
        await process.wait()
        # PostgreSQL gives the lock back when it sees the connection end; until then this waits for it.
        async with database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock(hashtextextended('job queue-alliances', 0))")
    after = await run(job_settings, "queue-alliances")

    taken_over, skipped, killed = await runs()
    assert beside == (0, f"{skipped.report}\n", [])
    assert skipped.report is not None
    assert skipped.report.startswith("queue-alliances is running already since ")
    assert after == (0, f"{taken_over.report}\n", [])
    assert [(run.status, run.error) for run in (killed, skipped, taken_over)] == [
        ("failed", PROCESS_DIED),
        ("skipped", None),
        ("succeeded", None),
    ]
