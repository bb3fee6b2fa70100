"""What `docs/howto/develop.md` says about adding something is all that it takes.

Each row of its table is followed in a copy of the product: exactly the files it names are edited or made, and what was
added works.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from killreport.coordination.job_runs import list_job_runs
from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.adding.examples import EXAMPLES
from tests.integration.adding.tree import ROOT, Tree
from tests.integration.kills import arrival, store

PAGE = (ROOT / "docs/howto/develop.md").read_text(encoding="utf-8")
TABLE = re.findall(r"^\| (an? [^|]+) \| ([^|]*`[^|]+) \|([^|]*)\|$", PAGE, re.MULTILINE)
ROWS = {words.split(",")[0].strip(): (files, then) for words, files, then in TABLE}
# What `make docs` writes of the examples whose row says so, in their order.
MADE_ANEW = (
    ("graphql.md", "isBusy"),
    ("graphql.md", "playersMin"),
    ("processes.md", "worker-greetings"),
    ("processes.md", "count-types"),
    ("settings.md", "KILLREPORT_GREETING"),
    ("cli.md", "killreport greet"),
)
Add = Callable[..., Tree]


@pytest.fixture
def add(tmp_path: Path, database_url: str) -> Add:
    """Return what gives a copy to which the thing of that row was added."""

    def add(row: str) -> Tree:
        settings = {"KILLREPORT_HOME": str(tmp_path / "home"), "KILLREPORT_DATABASE_URL": database_url}
        tree, example = Tree(tmp_path / "tree", settings), EXAMPLES[row]
        files = ROWS[row][0].replace("NAME", example.name).replace("NUMBER", example.number)
        tree.add(example)
        assert tree.changed() == {f"killreport/{name}" for name in re.findall(r"`([^`]+\.\w+)`", files)}
        return tree

    return add


@pytest.fixture
async def two_kills(database: Database, universe: Universe) -> None:
    """Store a kill by one attacker, 1, and a kill by three, 3."""
    async with database.connection() as connection:
        writer = KillmailWriter(universe, await load_price_book(connection, universe))
    await store(writer, database, arrival(1), arrival(3, attackers=3))


def ask(tree: Tree, *addresses: str) -> list[Any]:
    """Return what the API and the site of the copy answer."""
    said = tree.run("-m", "tests.integration.adding.asking", *addresses, KILLREPORT_LOG_LEVEL="error")
    return [json.loads(line) for line in said.splitlines()]


def test_every_row_is_followed() -> None:
    assert ROWS.keys() == EXAMPLES.keys()


@pytest.mark.usefixtures("two_kills")
def test_a_field_of_the_api_answers(add: Add) -> None:
    [answer] = ask(add("a field of a killmail in the API"), "{ killmails { nodes { id isBusy } } }")
    assert answer == {"killmails": {"nodes": [{"id": 3, "isBusy": True}, {"id": 1, "isBusy": False}]}}


@pytest.mark.usefixtures("two_kills")
def test_a_field_of_the_kill_page_is_shown(add: Add) -> None:
    [page] = ask(add("a field on the kill page"), "/kill/1")
    assert re.search(r"<dt>Stored in</dt><dd>20\d\d</dd>", page)


@pytest.mark.usefixtures("two_kills")
def test_a_filter_filters(add: Add) -> None:
    tree = add("a filter")
    tree.make_docs()
    [answer] = ask(tree, "{ killmails(filter: {playersMin: 2}) { nodes { id } } }")
    assert answer == {"killmails": {"nodes": [{"id": 3}]}}


@pytest.mark.usefixtures("two_kills")
def test_a_page_is_served(add: Add) -> None:
    [page] = ask(add("a page"), "/size")
    assert "<h1>2 kills are stored</h1>" in page


def test_a_worker_is_in_the_fleet_and_takes_from_its_queue(add: Add) -> None:
    tree = add("a worker")
    assert '"worker-greetings"' in tree.killreport("fleet", "show", "worker-greetings", "--json")
    tree.killreport("queue", "publish", "greeting_queue", '{"character_id": 90000001}')

    said = tree.killreport("run", "worker-greetings", "--once", KILLREPORT_LOG_FORMAT="json")
    [greeted] = [line for line in map(json.loads, said.splitlines()) if line["event"] == "greeted"]
    assert greeted["character_id"] == 90000001


async def test_a_job_is_in_the_fleet_and_runs(add: Add, database: Database) -> None:
    tree = add("a job")
    assert '"count-types"' in tree.killreport("fleet", "show", "count-types", "--json")

    said = tree.killreport("run", "count-types", "--json", KILLREPORT_LOG_LEVEL="error")
    assert re.fullmatch(r"\d+ types counted\.", json.loads(said)["sentence"])
    async with database.connection() as connection:
        assert [(run.job, run.status) for run in await list_job_runs(connection)] == [("count-types", "succeeded")]


def test_a_setting_is_read(add: Add) -> None:
    tree = add("a setting")
    said = tree.killreport("config", "show", KILLREPORT_GREETING="Welcome.")
    assert "KILLREPORT_GREETING = Welcome.  [environment]" in said


def test_a_command_is_in_the_help_and_runs(add: Add) -> None:
    tree = add("a command")
    assert re.search(r"^  greet +Say hello to somebody\.$", tree.killreport("--help"), re.MULTILINE)
    assert tree.killreport("greet", "--whom", "Chribba") == "Fly safe, Chribba.\n"


async def test_a_column_and_a_table_are_there_after_an_upgrade(add: Add, database_url: str) -> None:
    add("a column or a table").killreport("db", "upgrade")

    connection = await asyncpg.connect(database_url)
    try:
        assert await connection.fetch("select character_id, words from greeting") == []
        assert await connection.fetch("select greeted_at from killmail") == []
    finally:
        await connection.close()


def test_with_all_of_it_the_docs_are_made_anew_and_the_guards_have_nothing_against_it(tmp_path: Path) -> None:
    tree = Tree(tmp_path, {})
    for folder in ("docs", "tests/unit/guards", "bench", "installation"):
        shutil.copytree(ROOT / folder, tmp_path / folder, dirs_exist_ok=True)
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy2(path, tmp_path)
    for example in EXAMPLES.values():
        tree.add(example)
    migrations = tmp_path / "killreport/db/migrations"
    number = len(list(migrations.glob("*.sql")))
    (migrations / "9999_greetings.sql").rename(migrations / f"{number:04}_greetings.sql")

    tree.make_docs()
    for page, name in MADE_ANEW:
        assert name in (tmp_path / "docs/reference" / page).read_text(encoding="utf-8")
    tree.run("-m", "pytest", "-q", "-n", "0", "-p", "no:randomly", "tests/unit/guards")
    tree.run("-m", "ruff", "check", "--no-cache", "killreport")


def test_what_is_in_a_generated_page_says_so() -> None:
    generated = [row for row, (_files, then) in ROWS.items() if "`make docs`" in then]
    assert len(generated) == len(MADE_ANEW)
