"""Migrations against a real server: once, in order, all or nothing."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from killreport.db import migrate
from killreport.db.connection import LiveConnection
from killreport.db.database import Connection
from killreport.db.migrate import (
    COMPATIBLE,
    Migration,
    list_migrations,
    migration_status,
    pending_migrations,
    upgrade,
)
from killreport.errors import Conflict, Refused, Transient

FIRST = Migration(1, "first", "create table first (id integer)", "checksum of first")
# Of this database alone: other tests hold theirs in databases of their own.
ADVISORY_LOCKS_HERE = """
    select count(*) from pg_locks
    where locktype = 'advisory' and database = (select oid from pg_database where datname = current_database())
"""
SLEEPERS_HERE = """
    select count(*) from pg_stat_activity
    where datname = current_database() and query = 'select pg_sleep(60)' and state = 'active'
"""
SECOND = Migration(2, "second", "alter table first add column name text", "checksum of second")


@pytest.fixture
def release(monkeypatch: pytest.MonkeyPatch) -> list[Migration]:
    """Return the list that this release's migrations are taken from, for the test to fill."""
    known: list[Migration] = []
    monkeypatch.setattr(migrate, "list_migrations", lambda: known)
    return known


async def tables(connection: Connection) -> set[str]:
    rows = await connection.fetch("select relname from pg_stat_user_tables")
    return {row[0] for row in rows}


async def test_the_shipped_migrations_apply_to_an_empty_database_once(connection: Connection) -> None:
    applied = await upgrade(connection)
    assert [migration.version for migration in applied] == [entry.version for entry in list_migrations()]
    assert await upgrade(connection) == []
    assert await pending_migrations(connection) == []


async def test_each_step_is_told_after_it_was_committed(
    connection: Connection, empty_url: str, release: list[Migration]
) -> None:
    release += [FIRST, SECOND]
    told: list[int] = []
    await upgrade(connection, lambda migration: told.append(migration.version))
    assert told == [1, 2]


async def test_two_upgrades_at_once_apply_each_file_once(
    connection: Connection, empty_url: str, release: list[Migration]
) -> None:
    release += [FIRST, SECOND]
    other = await asyncpg.connect(empty_url)
    both = await asyncio.gather(upgrade(connection), upgrade(other))
    await other.close()
    assert sorted(len(applied) for applied in both) == [0, 2]
    assert await connection.fetchval("select count(*) from schema_migration") == 2


async def test_a_new_release_applies_only_what_is_new(connection: Connection, release: list[Migration]) -> None:
    release += [FIRST]
    await upgrade(connection)
    release += [SECOND]
    assert await pending_migrations(connection) == [SECOND]
    assert await upgrade(connection) == [SECOND]


async def test_looking_at_an_empty_database_changes_nothing(connection: Connection, release: list[Migration]) -> None:
    release += [FIRST]
    status = await migration_status(connection)
    assert [(entry.migration, entry.applied_at) for entry in status] == [(FIRST, None)]
    assert await tables(connection) == set()


async def test_a_file_edited_after_it_was_applied_is_refused(connection: Connection, release: list[Migration]) -> None:
    release += [FIRST]
    await upgrade(connection)
    release[:] = [Migration(1, "first", "create table other (id integer)", "another checksum"), SECOND]
    with pytest.raises(Conflict, match=r"^Migration 1 differs from the one that was applied \(checksum\)\.$"):
        await upgrade(connection)
    assert await tables(connection) == {"first", "schema_migration"}


async def test_a_database_of_a_newer_release_is_refused(connection: Connection, release: list[Migration]) -> None:
    release += [FIRST, SECOND]
    await upgrade(connection)
    release[:] = [FIRST]
    with pytest.raises(Conflict, match="has migration 2, which this release does not know: update KillReport"):
        await upgrade(connection)


async def test_an_older_release_works_with_a_newer_ones_migration_that_says_so(
    connection: Connection, release: list[Migration]
) -> None:
    release += [FIRST, Migration(2, "second", f"{COMPATIBLE}\n{SECOND.sql}", "checksum of second")]
    await upgrade(connection)
    release[:] = [FIRST]
    assert await pending_migrations(connection) == []
    assert await upgrade(connection) == []


async def test_what_a_migration_says_of_older_releases_is_stored_where_the_table_is_of_an_older_one(
    connection: Connection, release: list[Migration]
) -> None:
    release += [FIRST]
    await upgrade(connection)
    await connection.execute("alter table schema_migration drop column is_compatible")
    assert await pending_migrations(connection) == []
    release += [Migration(2, "second", f"{COMPATIBLE}\n{SECOND.sql}", "checksum of second")]
    await upgrade(connection)
    rows = await connection.fetch("select version, is_compatible from schema_migration order by version")
    assert [tuple(row) for row in rows] == [(1, False), (2, True)]


async def test_a_lock_somebody_holds_for_too_long_leaves_nothing_of_the_file(
    connection: Connection, empty_url: str, release: list[Migration], monkeypatch: pytest.MonkeyPatch
) -> None:
    release += [FIRST]
    await upgrade(connection)
    release += [Migration(2, "second", f"create table partial (id integer); {SECOND.sql}", "checksum")]
    monkeypatch.setattr(migrate, "LOCK_TIMEOUT_SECONDS", 0.05)
    reader = await asyncpg.connect(empty_url)
    async with reader.transaction():
        await reader.fetch("select * from first")
        with pytest.raises(Transient, match=r"^Migration 2 \(second\) got no lock .* was not applied"):
            await upgrade(connection)
    await reader.close()
    assert await tables(connection) == {"first", "schema_migration"}
    assert [migration.version for migration in await upgrade(connection)] == [2]


async def test_an_upgrade_that_is_cancelled_ends_as_that_though_its_connection_ends_with_it(
    connection: Connection, empty_url: str, release: list[Migration]
) -> None:
    release += [Migration(1, "first", "select pg_sleep(60)", "checksum")]
    upgrading_connection = await asyncpg.connect(empty_url, connection_class=LiveConnection)
    upgrading = asyncio.create_task(upgrade(upgrading_connection))
    async with asyncio.timeout(20):
        while not await connection.fetchval(SLEEPERS_HERE):
            await connection.execute("select pg_sleep(0.01)")
    upgrading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await upgrading
    assert upgrading_connection.is_closed()


async def test_a_statement_the_server_refuses_leaves_the_files_before_it(
    connection: Connection, release: list[Migration]
) -> None:
    release += [FIRST, Migration(2, "wrong", "create table partial (id integer); select nonsense", "checksum")]
    with pytest.raises(Refused, match=r'^Migration 2 \(wrong\) was not applied: column "nonsense" does not exist\.$'):
        await upgrade(connection)
    assert await tables(connection) == {"first", "schema_migration"}
    assert await pending_migrations(connection) == release[1:]
    assert await connection.fetchval(ADVISORY_LOCKS_HERE) == 0
