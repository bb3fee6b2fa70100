"""PM2 itself runs the whole fleet from its ecosystem file."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from killreport.config import LoadedSettings, Settings
from killreport.environment import passed_on_environment
from killreport.fleet.export.bundle import Surroundings
from killreport.fleet.export.pm2 import pm2_bundle
from killreport.fleet.export.writing import write_bundle
from killreport.fleet.table import FLEET
from tests.npm import installed
from tests.ports import free_ports

pytestmark = pytest.mark.fleet

PATIENCE_SECONDS = 180.0
JOB = "snapshot-alliances"
JOBS = sorted(row.name for row in FLEET if row.kind == "job")

Pm2 = Callable[..., str]


@pytest.fixture
def exported(tmp_path: Path, settings: Settings, database_url: str) -> Path:
    """Return the folder of the export; the database's URL is where a secret belongs, in the home's settings file."""
    api, web = free_ports(2)
    here = settings.replace(api_port=api, web_port=web)
    here.home.mkdir(mode=0o700)
    (here.home / "killreport.toml").write_text(f'database_url = "{database_url}"\n')
    sources = {
        name: "environment"
        for name in Settings.model_fields
        if getattr(here, name) != Settings.model_fields[name].default
    }
    unchanged = dict.fromkeys(Settings.model_fields, "default")
    loaded = LoadedSettings(here, {**unchanged, **sources})
    write_bundle(
        pm2_bundle(FLEET, Surroundings.of(loaded, python=sys.executable, user="", image="")), tmp_path / "pm2-files"
    )
    return tmp_path / "pm2-files"


@pytest.fixture
def pm2(tmp_path: Path, pytestconfig: pytest.Config) -> Iterator[Pm2]:
    """Yield what runs PM2 with a home of its own; its daemon and what it runs are ended afterwards."""
    program = installed(pytestconfig) / "pm2" / "bin" / "pm2"
    environment = {
        **passed_on_environment("PATH", "LANG"),
        "HOME": str(tmp_path),
        "PM2_HOME": str(tmp_path / "pm2"),
        "PM2_DISABLE_VERSION_CHECK": "true",
        # Where PM2 reads cron expressions in a time zone that is never UTC.
        "TZ": "Pacific/Auckland",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [str(program), *arguments], capture_output=True, text=True, check=False, env=environment, cwd=tmp_path
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    yield run
    run("kill")


def rows_of(pm2: Pm2) -> dict[str, dict[str, Any]]:
    """Return PM2's list by name; it may have a line about its daemon before it."""
    text = pm2("jlist")
    return {row["name"]: row["pm2_env"] for row in json.loads(text[text.index("[") :])}


def wait_for_states(pm2: Pm2, expected: dict[str, str]) -> dict[str, dict[str, Any]]:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        rows = rows_of(pm2)
        states = {name: row["status"] for name, row in rows.items()}
        if states == expected:
            return rows
        assert time.monotonic() < deadline, states
        time.sleep(0.5)


async def recorded(connection: asyncpg.Connection) -> list[tuple[str, str, str]]:
    """Return job, trigger and status of every recorded run."""
    return [
        tuple(row) for row in await connection.fetch("select job, trigger, status from job_run order by job, run_id")
    ]


async def test_the_whole_fleet_runs_and_a_job_runs_when_it_is_due_alone(
    exported: Path, pm2: Pm2, database_url: str
) -> None:
    expected = {row.name: "stopped" if row.kind == "job" else "online" for row in FLEET}

    pm2("start", str(exported / "ecosystem.config.js"))
    rows = wait_for_states(pm2, expected)

    connection = await asyncpg.connect(database_url)
    try:
        # PM2 started every job; each found that it is not due.
        assert list(rows) == [row.name for row in FLEET]
        assert {name: row["restart_time"] for name, row in rows.items()} == dict.fromkeys(expected, 0)
        # But no price is stored, which is urgent, and nobody answers here.
        first = {name: "failed" if name == "update-prices" else "skipped" for name in JOBS}
        assert await recorded(connection) == [(name, "schedule", status) for name, status in first.items()]
        assert database_url not in pm2("jlist")

        await connection.execute("update job_run set started_at = started_at - interval '2 days' where job = $1", JOB)
        for _ in range(2):
            pm2("restart", JOB)
            wait_for_states(pm2, expected)
        assert [run for run in await recorded(connection) if run[0] == JOB] == [
            (JOB, "schedule", "skipped"),
            (JOB, "schedule", "succeeded"),
        ]
    finally:
        await connection.close()
