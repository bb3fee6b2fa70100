"""`killreport export killmails | attackers | items`: the file holds what the views hold, whole or not at all."""

from __future__ import annotations

import asyncio
import csv
import json
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from typer.testing import CliRunner

from killreport.cli.export import app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import KillreportError, Permanent
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.kills import NOON, arrival, name_everybody, store

NAME = '=1+1,"quoted"'


class Exporting:
    """Runs the command on the test's database, in a folder of its own."""

    def __init__(self, settings: Settings, database: Database, folder: Path) -> None:
        self.folder = folder
        self.environment = {"KILLREPORT_HOME": str(settings.home), "KILLREPORT_DATABASE_URL": database.url}

    async def __call__(self, *arguments: str) -> dict[str, Any]:
        """Return the summary. Raises what the command refused with."""
        result = await asyncio.to_thread(CliRunner().invoke, app, [*arguments, "--json"], env=self.environment)
        if isinstance(result.exception, KillreportError):
            raise result.exception
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found


@pytest.fixture
async def export(settings: Settings, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exporting:
    """Return what exports a board of three days with a killmail each, and one with items inside items."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        writer = KillmailWriter(universe, await load_price_book(connection, universe))
    days = [arrival(1 + day, NOON + timedelta(days=day), attackers=2) for day in range(3)]
    await store(writer, database, *days)
    await name_everybody(database, NAME)
    monkeypatch.chdir(tmp_path)
    return Exporting(settings, database, tmp_path)


async def test_every_format_holds_the_same_rows(export: Exporting, database: Database) -> None:
    for form in ("parquet", "csv", "jsonl"):
        told = await export("killmails", "--format", form, "--out", f"all.{form}")
        assert (told["days"], told["rows"], told["format"]) == (3, 3, form)
        assert told["bytes"] == (export.folder / f"all.{form}").stat().st_size
    async with database.connection() as connection:
        rows = await connection.fetch("select * from analysis.killmails order by killed_at")
    names = list(rows[0].keys())

    with duckdb.connect() as parquet:
        parquet.execute("set TimeZone = 'UTC'")
        found = parquet.execute("select * from 'all.parquet'")
        assert [column[0] for column in found.description or ()] == names
        assert [tuple(row.values()) for row in rows] == found.fetchall()
    lines = [json.loads(line) for line in (export.folder / "all.jsonl").read_text(encoding="utf-8").splitlines()]
    assert [list(line) for line in lines] == [names] * 3
    assert [(line["killmail_id"], line["victim_character_name"], line["labels"]) for line in lines] == [
        (row["killmail_id"], NAME, row["labels"]) for row in rows
    ]
    with (export.folder / "all.csv").open(encoding="utf-8", newline="") as file:
        table = list(csv.DictReader(file))
    assert [list(line) for line in table] == [names] * 3
    assert [line["killed_at"] for line in table] == [f"2021-12-0{2 + day}T12:00:00Z" for day in range(3)]
    assert [Decimal(line["total_isk"]) for line in table] == [row["total_isk"] for row in rows]
    assert [line["labels"].split() for line in table] == [row["labels"] for row in rows]
    assert {line["moon_id"] for line in table} == {""}


async def test_a_spreadsheet_finds_no_formula_in_csv(export: Exporting) -> None:
    await export("killmails", "--format", "csv", "--out", "all.csv")

    with (export.folder / "all.csv").open(encoding="utf-8", newline="") as file:
        assert {line["victim_character_name"] for line in csv.DictReader(file)} == {f"'{NAME}"}


async def test_days_are_chosen_and_both_ends_count(export: Exporting) -> None:
    told = await export("attackers", "--format", "csv", "--from", "2021-12-03", "--to", "2021-12-04")

    assert told["path"] == "attackers-2021-12-03-2021-12-04.csv"
    assert (told["days"], told["rows"]) == (2, 4)
    assert (await export("items", "--to", "2021-12-02", "--out", "items.parquet"))["rows"] == 1
    assert (await export("killmails", "--from", "2030-01-01", "--out", "none.parquet"))["rows"] == 0
    assert duckdb.execute("select count(*) from 'none.parquet'").fetchall() == [(0,)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--from", "yesterday"), "a day such as 2021-11-27 is needed at --from"),
        (("--from", "2021-12-04", "--to", "2021-12-02"), "--from 2021-12-04 is after --to 2021-12-02."),
        (("--out", "-"), "Parquet cannot be written to standard output"),
        (("--out", "here.parquet"), "here.parquet exists; nothing was written."),
        (("--out", "nowhere/a.csv", "--format", "csv"), "nowhere/a.csv cannot be written: "),
    ],
)
async def test_what_cannot_be_is_refused_with_a_sentence(
    export: Exporting, arguments: tuple[str, ...], sentence: str
) -> None:
    (export.folder / "here.parquet").touch()

    with pytest.raises(KillreportError) as refused:
        await export("killmails", *arguments)
    assert str(refused.value).startswith(sentence)
    assert [path.name for path in export.folder.glob("*.*")] == ["here.parquet"]


async def test_a_missing_extra_is_told_before_anything_is_read(
    export: Exporting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(KillreportError, match=r"pip install 'killreport\[parquet\]'"):
        await export("killmails")


async def test_a_file_that_cannot_be_finished_is_not_there(export: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("killreport.db.view_export._ORDER", {"killmails": "1 / (killmail_id - 3), killmail_id"})
    with pytest.raises(AssertionError):  # division by zero on the third day
        await export("killmails", "--out", "broken.parquet")
    assert list(export.folder.glob("*")) == []
    assert list(export.folder.glob(".*")) == []


async def test_duckdbs_last_words_are_told(export: Exporting, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.executable", "/bin/false")

    with pytest.raises(Permanent, match="DuckDB could not write the file: it said nothing"):
        await export("killmails", "--out", "broken.parquet")
    assert list(export.folder.glob("*")) == []
