"""`killreport db`, below the command line: what each command does to a real database."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import asyncpg
import pytest
from pydantic import SecretStr
from typer.testing import CliRunner

from killreport.cli.data import db
from killreport.config import Settings
from killreport.db.database import Connection
from killreport.db.migrate import list_migrations
from killreport.errors import Conflict, NotFound, Transient


@pytest.fixture
def empty(tmp_path: Path, empty_url: str) -> Settings:
    """Return settings for a database without a single table."""
    return Settings(home=tmp_path / "home", database_url=SecretStr(empty_url))


async def test_upgrade_tells_every_step_and_the_second_time_that_there_is_none(
    empty: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    await db.upgrade_database(empty)
    applied = [f"Migration {entry.version:04} {entry.name}: applied." for entry in list_migrations()]
    assert capsys.readouterr().out.splitlines() == [*applied, "Static data: loaded."]
    await db.upgrade_database(empty)
    assert capsys.readouterr().out.splitlines() == ["Migrations: none pending.", "Static data: already there."]


async def test_status_of_an_empty_database_shows_every_migration_as_pending(empty: Settings) -> None:
    where, found = await db.read_status(empty)
    described = db.describe(empty, where, found)
    assert described["pending"] == len(list_migrations())
    assert [entry["applied_at"] for entry in described["migrations"]] == [None] * len(list_migrations())
    assert described["rows"] == {}
    assert described["embedded"] is False


async def test_status_of_a_whole_database_shows_its_rows_and_size(settings: Settings, database_url: str) -> None:
    connection = await asyncpg.connect(database_url)
    await connection.execute("analyze eve_system")
    await connection.close()
    where, found = await db.read_status(settings)
    described = json.loads(json.dumps(db.describe(settings, where, found)))
    assert described["pending"] == 0
    assert described["rows"]["eve_system"] == 8_436
    assert described["rows"]["killmail"] == 0
    assert described["size_bytes"] > 10_000_000
    assert "schema_migration" not in described["rows"]


async def test_status_shows_no_password(settings: Settings, database_url: str) -> None:
    where, _ = await db.read_status(with_password(settings, database_url, "hunter2"))
    assert "hunter2" not in where
    assert ":********@" in where


async def test_reset_drops_everything_and_upgrade_makes_it_anew(settings: Settings, database_url: str) -> None:
    assert await db.reset_database(settings) > len(list_migrations())
    connection = await asyncpg.connect(database_url)
    left = "select count(*) from pg_class where relnamespace = current_schema()::regnamespace"
    assert await connection.fetchval(left) == 0
    await connection.close()
    await db.upgrade_database(settings)
    _, found = await db.read_status(settings)
    assert found.pending == []


async def test_reset_refuses_a_database_that_is_not_ours(empty: Settings, connection: Connection) -> None:
    await connection.execute("create table payroll (id integer)")
    with pytest.raises(Conflict, match="none of KillReport's: nothing was dropped"):
        await db.reset_database(empty)
    assert await connection.fetchval("select to_regclass('payroll')") is not None


async def test_reset_drops_nothing_while_somebody_uses_a_table(
    settings: Settings, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("killreport.db.status.LOCK_TIMEOUT_SECONDS", 0.05)
    reader = await asyncpg.connect(database_url)
    async with reader.transaction():
        await reader.fetch("select * from killmail")
        with pytest.raises(Transient, match="nothing was dropped"):
            await db.reset_database(settings)
    assert await reader.fetchval("select count(*) from eve_system") == 8_436
    await reader.close()


def test_reset_without_a_terminal_refuses_unless_told_yes(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "load", lambda: settings)
    result = CliRunner().invoke(db.app, ["reset"])
    assert isinstance(result.exception, Conflict)
    assert "--yes" in str(result.exception)


def with_password(settings: Settings, url: str, password: str) -> Settings:
    scheme, _, rest = url.partition("://")
    user, _, host = rest.partition("@")
    return settings.replace(database_url=SecretStr(f"{scheme}://{user}:{password}@{host}"))


async def test_shell_gives_psql_the_database_and_returns_its_status(
    settings: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    assert await db.run_client(settings, "psql", ["-XAtc", "select count(*) from eve_system"]) == 0
    assert capfd.readouterr().out == "8436\n"
    assert await db.run_client(settings, "psql", ["-Xc", "select nonsense"]) == 1


async def test_shell_keeps_the_password_out_of_the_arguments(
    settings: Settings,
    database_url: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    program = tmp_path / "psql"
    program.write_text('#!/bin/sh\necho "arguments: $@"\necho "password: $PGPASSWORD"\n')
    program.chmod(program.stat().st_mode | stat.S_IXUSR)

    async def find_client(_name: str) -> str:
        return str(program)

    monkeypatch.setattr(db, "find_client", find_client)
    assert await db.run_client(with_password(settings, database_url, "hunter2"), "psql", ["-c", "x"]) == 0
    arguments, password = capfd.readouterr().out.splitlines()
    assert "hunter2" not in arguments
    assert arguments.startswith("arguments: --dbname=postgresql://")
    assert arguments.endswith(" -c x")
    assert password == "password: hunter2"


async def test_the_wheel_s_psql_serves_where_the_machine_has_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda _name: None)
    assert (await db.find_client("psql")).endswith("pginstall/bin/psql")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(NotFound, match="no psql on this machine"):
        await db.find_client("psql")


def test_status_ends_with_1_while_migrations_are_pending(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db, "load", lambda: empty)
    pending = CliRunner().invoke(db.app, ["status", "--json"])
    assert (pending.exit_code, json.loads(pending.output)["pending"]) == (1, len(list_migrations()))
    assert CliRunner().invoke(db.app, ["upgrade"]).exit_code == 0
    whole = CliRunner().invoke(db.app, ["status"])
    assert whole.exit_code == 0
    assert "Rows of eve_system" in whole.output
