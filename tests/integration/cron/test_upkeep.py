"""The history is repaired and the static data kept current, and neither does anything twice."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.running import run_job
from killreport.db.database import Database
from killreport.errors import NotFound, Unavailable
from killreport.eve.universe import Universe
from killreport.sim.server import run_simulator
from tests.integration.cron.conftest import RunJob, Runs
from tests.integration.zkillboard.site import Answer, Site, open_site
from tests.unit.eve.archives import archive_of

LATEST = "/static-data/tranquility/latest.jsonl"
ARCHIVE = "/static-data/eve-online-static-data-latest-jsonl.zip"


@pytest.fixture
async def ccp() -> AsyncIterator[Site]:
    """Yield a host with a build of CCP's static data."""
    release = json.dumps({"_key": "sde", "buildNumber": 77, "releaseDate": "2026-01-02T03:04:05Z"})
    async with open_site({LATEST: Answer(release.encode()), ARCHIVE: Answer(archive_of().getvalue())}) as site:
        yield site


@pytest.fixture
async def simulator(tmp_path: Path, universe: Universe) -> AsyncIterator[str]:
    """Yield the URL of a simulator with two past days of history."""
    async with run_simulator(tmp_path / "sim", universe=universe, history_days=2) as url:
        yield url


async def test_the_last_days_are_made_whole_and_found_whole_the_next_time(
    database: Database, run: RunJob, universe: Universe
) -> None:
    first, second = await run("repair-history"), await run("repair-history")
    async with database.connection() as connection:
        stored = await connection.fetchval("select count(*) from killmail where killmail_time < $1", utc_now())
    days = first.counts["days"]
    assert first.counts == {"days": days, "stored": stored, "missing": 0}
    assert first.sentence == f"Compared {days} days: {stored} killmails stored."
    assert (second.counts["stored"], stored > 0) == (0, True)


async def test_a_killmail_that_is_gone_comes_back(database: Database, run: RunJob) -> None:
    await run("repair-history")
    async with database.connection() as connection:
        lost = await connection.fetchval(
            "select max(killmail_id) from killmail where killmail_time < $1", utc_now() - timedelta(hours=1)
        )
        await connection.execute("delete from killmail where killmail_id = $1", lost)
    report = await run("repair-history")
    assert report.counts["stored"] == 1


async def test_a_history_that_does_not_answer_is_on_the_record(
    settings: Settings, database: Database, runs: Runs
) -> None:
    with pytest.raises(Unavailable):
        await run_job("repair-history", settings, database, stop=asyncio.Event())
    [recorded] = await runs()
    assert (recorded.status, recorded.error) == ("failed", "127.0.0.1:1 does not answer (Connection refused).")


async def test_a_new_build_is_loaded_once(job_settings: Settings, database: Database, ccp: Site) -> None:
    settings = job_settings.replace(static_data_url=f"{ccp.url}/static-data")
    reports = [await run_job("update-static-data", settings, database, stop=asyncio.Event()) for _ in range(2)]
    assert [report.sentence for report in reports] == [
        "Loaded build 77, released 2026-01-02.",
        "Nothing newer than build 77, released 2026-01-02.",
    ]
    assert [request.path for request in ccp.asked] == [LATEST, ARCHIVE, LATEST]


async def test_a_host_without_builds_changes_nothing(
    job_settings: Settings, database: Database, ccp: Site, runs: Runs
) -> None:
    del ccp.answers[LATEST]
    settings = job_settings.replace(static_data_url=f"{ccp.url}/static-data")
    with pytest.raises(NotFound, match="There is no static data at"):
        await run_job("update-static-data", settings, database, stop=asyncio.Event())
    async with database.connection() as connection:
        assert await connection.fetchval("select source from static_data") == "seed"
    assert [run.status for run in await runs()] == ["failed"]
