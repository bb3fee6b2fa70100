"""`killreport history repair` as it is typed."""

from __future__ import annotations

import asyncio
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from killreport.config import Settings
from killreport.eve.universe import Universe
from killreport.sim.server import run_simulator


async def killreport(settings: Settings, url: str, *arguments: str) -> tuple[int | None, str, str]:
    """Run the command and return its status, stdout and stderr."""
    assert settings.database_url is not None
    environment = {
        "KILLREPORT_HOME": str(settings.home),
        "KILLREPORT_DATABASE_URL": settings.database_url.get_secret_value(),
        "KILLREPORT_R2Z2_URL": url,
        "KILLREPORT_FEED_REQUESTS_PER_SECOND": "5000",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "killreport",
        "history",
        *arguments,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    return process.returncode, out.decode(), err.decode()


async def test_the_last_days_are_filled_and_reported(settings: Settings, universe: Universe, tmp_path: Path) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).date()
    async with run_simulator(tmp_path / "sim", universe=universe, history_days=2) as url:
        status, first, _ = await killreport(settings, url, "repair", "--days", "2", "--json")
        _, second, _ = await killreport(settings, url, "repair", "--days", "2")

    assert status == 0
    assert json.loads(first) == [
        {"day": str(yesterday), "published": 200, "stored_before": 0, "stored_after": 200, "missing": 0, "postponed": 0}
    ]
    assert second == f"{yesterday}  published    200  stored before    200  stored after    200  missing      0\n"


async def test_a_history_that_does_not_answer_is_one_sentence(settings: Settings) -> None:
    status, out, err = await killreport(settings, "http://127.0.0.1:1", "repair")

    assert (status, out) == (1, "")
    assert err.splitlines() == ["killreport: 127.0.0.1:1 does not answer (Connection refused)."]
