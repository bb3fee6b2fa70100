"""A database that goes into a file and comes back."""

from __future__ import annotations

from pathlib import Path

import asyncpg
import pytest

from tests.integration.cli.test_fleet_commands import Terminal


@pytest.fixture
def terminal(database_url: str, tmp_path: Path) -> Terminal:
    return Terminal(database_url, tmp_path / "home")


async def rows(url: str) -> list[tuple[int, str]]:
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetch("select solar_system_id, name from eve_system order by 1")
        return [tuple(row) for row in found]
    finally:
        await connection.close()


async def comments(url: str) -> dict[str, str]:
    """Return the sentences on tables, views, columns and schemas."""
    connection = await asyncpg.connect(url)
    try:
        found = await connection.fetch(
            """select pg_describe_object(classoid, objoid, objsubid), description from pg_description
               where classoid in ('pg_class'::regclass, 'pg_namespace'::regclass) and pg_describe_object(
                   classoid, objoid, objsubid) !~ 'pg_|information_schema|sql_'"""
        )
        return {row[0]: row[1] for row in found}
    finally:
        await connection.close()


async def test_what_was_dumped_is_restored_into_an_empty_database_only(
    terminal: Terminal, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "killreport.dump"
    before, sentences = await rows(database_url), await comments(database_url)
    status, output, said = terminal.run("db", "dump", str(file))
    assert (status, said) == (0, "")
    assert output.startswith(f"{file}: ")
    assert file.stat().st_mode & 0o777 == 0o600
    assert terminal.run("db", "dump", str(file)) == (1, "", f"killreport: {file} exists; nothing was written.\n")

    status, _output, said = terminal.run("db", "restore", str(file))
    assert (status, said) == (
        1,
        "killreport: The database is not empty: killreport db reset empties it, nothing was restored.\n",
    )
    assert terminal.run("db", "reset", "--yes")[0] == 0
    assert terminal.run("db", "restore", str(file))[::2] == (0, "")
    assert len(before) > 8_000
    assert await rows(database_url) == before
    assert "schema analysis" in sentences
    assert "column name of table alliance" in sentences
    assert await comments(database_url) == sentences
    assert terminal.run("db", "status", "--json")[0] == 0
    assert terminal.run("db", "upgrade")[::2] == (0, "")


async def test_what_the_embedded_server_dumped_is_restored_into_the_one_at_hand(
    terminal: Terminal, database_url: str, tmp_path: Path
) -> None:
    file = tmp_path / "embedded.dump"
    embedded = Terminal("", tmp_path / "embedded")
    assert embedded.run("db", "upgrade")[0] == 0
    assert embedded.run("db", "dump", str(file))[::2] == (0, "")
    assert terminal.run("db", "reset", "--yes")[0] == 0

    cut = tmp_path / "cut.dump"
    cut.write_bytes(file.read_bytes()[:-2000])
    status, _output, said = terminal.run("db", "restore", str(cut))
    assert status == 1
    assert said != ""
    connection = await asyncpg.connect(database_url)
    assert await connection.fetchval("select to_regclass('schema_migration')") is None
    version = connection.get_server_version().major
    await connection.close()

    # The newest is the wheel's, 18; it matters where the server at hand is 15, 16 or 17.
    assert terminal.run("db", "restore", str(file))[::2] == (0, ""), version
    assert len(await rows(database_url)) > 8_000
    assert terminal.run("db", "status", "--json")[0] == 0
