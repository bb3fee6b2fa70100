"""`db recount` and `killmail remove` do what they say and tell it in a sentence and a status."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from killreport.cli.main import status_of
from killreport.db.database import open_pool
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.kills import arrival

Run = Callable[..., tuple[int, str]]


async def prepare(url: str, statement: str = "select 1") -> None:
    async with open_pool(url, 2, "test") as database:
        async with database.connection() as connection:
            universe = await load_universe(connection)
            writer = KillmailWriter(universe, await load_price_book(connection, universe))
        await writer.store(database, [arrival(1), arrival(2)])
        async with database.connection() as connection:
            await connection.execute(statement)


@pytest.fixture
def run(
    database_url: str, tmp_path: object, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Run:
    """Return a function that runs a command line on the test's database and returns its status and what it printed."""
    monkeypatch.setenv("KILLREPORT_DATABASE_URL", database_url)
    monkeypatch.setenv("KILLREPORT_HOME", str(tmp_path))

    def run(*arguments: str) -> tuple[int, str]:
        status = status_of(list(arguments))
        said = capsys.readouterr()
        return status, said.out + said.err

    return run


def in_a_loop(url: str, statement: str = "select 1") -> None:
    import asyncio  # noqa: PLC0415 - the commands run loops of their own, so the tests are plain functions

    asyncio.run(prepare(url, statement))


def test_a_recount_tells_what_differs_and_mends_it_when_asked(run: Run, database_url: str) -> None:
    in_a_loop(database_url, "update total_stat set kills = kills + 1")
    assert run("db", "recount") == (1, "The counts differ from the killmails in total_stat.\n")
    status, said = run("db", "recount", "--rebuild")
    assert (status, said.splitlines()[-1]) == (0, "Rebuilt: all counts equal the killmails now.")
    status, said = run("db", "recount", "--json")
    assert (status, json.loads(said)) == (0, {"equal": True, "rebuilt": False, "due": 0, "differences": []})


def test_a_recount_tells_what_is_still_to_be_derived_again(run: Run, database_url: str) -> None:
    in_a_loop(database_url, "insert into derive_due (kind, id, version) values ('type', 587, 1)")
    status, said = run("db", "recount")
    assert status == 0
    assert "The static data of 1 type or system changed, and worker-types is to derive its killmails again." in said


def test_a_killmail_is_removed_once(run: Run, database_url: str) -> None:
    in_a_loop(database_url)
    assert run("killmail", "remove", "2", "3", "--reason", "a test") == (0, "Removed 1: 2.\n")
    assert run("killmail", "remove", "2", "--reason", "a test") == (
        1,
        "killreport: None of these killmails is stored: nothing was removed.\n",
    )
    assert run("db", "recount") == (0, "All counts equal the killmails.\n")
