"""`killreport db move` and `db upgrade` on a database of the release of migration 29."""

from __future__ import annotations

import asyncio
import json
from collections import namedtuple
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from killreport.cli.data import move
from killreport.config import Settings
from killreport.errors import Conflict
from killreport.killmail.writing.move_plan import MovePlan
from tests.databases import Databases, create_database, with_database_name
from tests.integration.cli.test_fleet_commands import Terminal
from tests.integration.db.release_0029 import make_release_0029

KILLMAILS = 310
Usage = namedtuple("Usage", "total used free")


@pytest.fixture
async def old_url(server_url: str, databases: Databases) -> AsyncIterator[str]:
    """Yield the URL of a database of the release of migration 29."""
    name = await create_database(server_url)
    url = with_database_name(server_url, name)
    await make_release_0029(url)
    yield url
    await databases.discard(name)


@pytest.fixture
def terminal(old_url: str, tmp_path: Path) -> Terminal:
    return Terminal(old_url, tmp_path / "home")


async def ask(url: str, statement: str) -> object:
    connection = await asyncpg.connect(url)
    try:
        return await connection.fetchval(statement)
    finally:
        await connection.close()


async def test_a_move_tells_what_it_takes_and_an_upgrade_switches_over(terminal: Terminal, old_url: str) -> None:
    status, output, said = await asyncio.to_thread(terminal.run, "db", "move")
    assert status == 1
    assert f"{KILLMAILS} of {KILLMAILS} killmails are to be moved to new tables" in output
    assert "how much is free there cannot be told from here" in output
    assert "Dump the database before: killreport db dump FILE." in output
    assert "nothing was done: --yes does it without asking" in said
    assert await ask(old_url, "select to_regnamespace('next')") is None

    status, output, said = await asyncio.to_thread(terminal.run, "db", "move", "--yes", "--json")
    assert (status, said) == (0, "")
    told = json.loads(output)
    assert (told["moved"], told["left"]) == (KILLMAILS, 0)
    assert told["needed_bytes"] > 100_000
    assert await ask(old_url, "select count(*) from next.killmail") == KILLMAILS
    assert await ask(old_url, "select count(*) from public.killed_by") != 0

    status, output, said = await asyncio.to_thread(terminal.run, "db", "upgrade")
    assert (status, said) == (0, "")
    assert output.splitlines() == ["Migration 0031 switch: applied.", "Static data: already there."]
    assert await ask(old_url, "select count(*) from killmail") == KILLMAILS
    status, output, _ = await asyncio.to_thread(terminal.run, "db", "move", "--yes")
    assert (status, output) == (0, "There is nothing to move.\n")


async def test_an_upgrade_moves_by_itself(terminal: Terminal, old_url: str) -> None:
    status, output, said = await asyncio.to_thread(terminal.run, "db", "upgrade")
    assert (status, said) == (0, "")
    assert f"{KILLMAILS} of {KILLMAILS} killmails are to be moved to new tables" in output
    assert output.splitlines()[-3:] == [
        "Migration 0030 storage: applied.",
        "Migration 0031 switch: applied.",
        "Static data: already there.",
    ]
    assert await ask(old_url, "select count(*) from killmail") == KILLMAILS


def test_a_disk_that_is_too_small_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _path: Usage(10**9, 10**9 - 3_000_000, 3_000_000))
    settings = Settings(home=tmp_path, database_url=None)
    move.refuse_small_disk(settings, MovePlan(100, 50, 10_000_000))
    with pytest.raises(Conflict, match=r"^The disk has 3 MB free, and moving the killmails takes up to 4 MB: nothing"):
        move.refuse_small_disk(settings, MovePlan(100, 100, 10_000_000))
