"""An export that is told to end leaves no half file behind, whichever signal tells it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.kills import arrival, store


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_signal_leaves_no_half_file(database: Database, tmp_path: Path, number: signal.Signals) -> None:
    async with database.connection() as connection:
        universe = await load_universe(connection)
        writer = KillmailWriter(universe, await load_price_book(connection, universe))
    await store(writer, database, arrival(1))
    folder = tmp_path / "files"
    folder.mkdir()
    async with database.transaction() as connection:
        # The view needs the names, and waits for them with its file open.
        await connection.execute("lock table character in access exclusive mode")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "killreport", "export", "killmails", "--format", "csv", "--out", "x.csv"),
            cwd=folder,
            env={**os.environ, "KILLREPORT_DATABASE_URL": database.url, "KILLREPORT_HOME": str(tmp_path / "home")},
        )
        try:
            async with asyncio.timeout(60):
                while not list(folder.iterdir()):  # noqa: ASYNC110 - another process makes it
                    await asyncio.sleep(0.05)
                process.send_signal(number)
                returncode = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()

    assert returncode == (130 if number == signal.SIGINT else 128 + number)
    assert list(folder.iterdir()) == []
