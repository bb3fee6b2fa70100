"""The queries of docs/howto/analyse.md, run as they stand there by a role that only reads."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from killreport.cli.data.export_rows import ExportRequest, FileForm, export_view
from killreport.config import Settings
from killreport.db.analyst import Analyst, make_analyst, remove_analyst
from killreport.db.database import Database
from killreport.db.url import with_user
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.kills import NOON, arrival, attacker, name_everybody, store
from tests.integration.packed_rows import change_attackers
from tests.npm import CLIENTS
from tests.programs import find_program
from tests.venvs import programs_of

PAGE = Path(__file__).parents[3] / "docs" / "howto" / "analyse.md"
PASSWORD = "only-reads"


def block(section: str, language: str) -> str:
    """Return the last block of a language in a section of the page."""
    text = PAGE.read_text(encoding="utf-8").partition(f"## {section}\n")[2].partition("\n## ")[0]
    found: list[str] = re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)
    return found[-1]


@pytest.fixture
async def analyst(database: Database) -> AsyncIterator[str]:
    """Yield the address of the analyst's database, in which two killmails are, of people with names."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        writer = KillmailWriter(universe, await load_price_book(connection, universe))
    first = arrival(1, attackers=2)
    await store(writer, database, first, arrival(2, NOON.replace(hour=15)))
    await name_everybody(database)
    # Attackers of the tests have no alliance.
    async with database.connection() as connection:
        await change_attackers(connection, lambda _row: {"alliance_id": 99000001})
    assert attacker()["ship_type_id"]
    name = f"killreport_test_{secrets.token_hex(6)}"
    async with database.apart() as owner:
        await make_analyst(owner, database.apart(), Analyst(name, password=PASSWORD))
        yield with_user(database.url, name).replace(f"{name}@", f"{name}:{PASSWORD}@")
        await remove_analyst(owner, database.apart(), name)


async def run(program: str | Path, *arguments: str, cwd: Path, **environment: str) -> str:
    """Return what a program prints."""
    process = await asyncio.create_subprocess_exec(
        str(program),
        *arguments,
        cwd=cwd,
        env={**os.environ, **environment},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
    return output.decode()


async def test_the_query_in_psql(analyst: str, tmp_path: Path) -> None:
    psql = find_program("psql")

    found = await run(psql, analyst, "-qAt", "-c", block("With psql", "sql"), cwd=tmp_path)

    assert found.startswith("Jita|The Forge|2|")


async def test_the_query_in_pandas(analyst: str, tmp_path: Path, pytestconfig: pytest.Config) -> None:
    programs = await asyncio.to_thread(programs_of, pytestconfig, CLIENTS / "analyst" / "requirements.txt")
    (tmp_path / "query.py").write_text(block("With pandas", "python"), encoding="utf-8")

    found = await run(programs / "python", "query.py", cwd=tmp_path, ANALYST_URL=analyst)

    header, line = found.splitlines()
    assert header.split() == ["alliance_name", "appearances", "killmails", "pilots_a_kill"]
    assert line.split()[-3:] == ["3", "2", "1.5"]


@pytest.mark.usefixtures("analyst")
async def test_the_query_in_duckdb(settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    wanted = ExportRequest(FileForm.PARQUET, NOON.date(), NOON.date(), Path("killmails.parquet"))
    assert (await export_view(settings, "killmails", wanted)).rows == 2
    (tmp_path / "query.py").write_text(block("With DuckDB", "python"), encoding="utf-8")

    found = await run(sys.executable, "query.py", cwd=tmp_path)

    assert re.findall(r"│ +(\d+) │ +(\d+) │", found) == [("12", "1"), ("15", "1")]
