"""Migrations: the SQL files beside this module, in order of their number, each in a transaction of its own.

Forward only. A file is never edited once released: its checksum is stored, and a difference is refused. A file that
older releases can live with says so in a line of its own (`COMPATIBLE`); it is stored too, so that they can know it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from importlib import resources
from types import MappingProxyType

import asyncpg

from killreport.db.database import Connection
from killreport.errors import Conflict, Refused, Transient

# One at a time over the whole database; any constant does, this one spells "killrep" in ASCII.
MIGRATION_LOCK = 0x6B696C6C726570
LOCK_TIMEOUT_SECONDS = 5
MIN_SERVER = 15
# For a migration that only adds: what an older release reads and writes is still there, and means the same.
COMPATIBLE = "-- Older releases work with this."


@dataclass(frozen=True)
class Migration:
    """One file: its number, its name without number, its text and the SHA-256 of it."""

    version: int
    name: str
    sql: str
    checksum: str

    @property
    def is_compatible(self) -> bool:
        """Whether older releases, which do not know this migration, work with what it leaves."""
        return COMPATIBLE in self.sql.splitlines()


@dataclass(frozen=True)
class Preparation:
    """What has to be done before a migration: at leisure ahead of it, and within its transaction."""

    ahead: Callable[[Connection], Awaitable[None]]
    within: Callable[[Connection], Awaitable[None]]


@dataclass(frozen=True)
class MigrationStatus:
    """A migration this release knows, with when it was applied to the database (None: not yet)."""

    migration: Migration
    applied_at: datetime | None


def list_migrations() -> list[Migration]:
    """Return the migrations of this release, first to last."""
    folder = resources.files("killreport.db") / "migrations"
    found = []
    for entry in folder.iterdir():
        if entry.name.endswith(".sql"):
            number, _, name = entry.name.removesuffix(".sql").partition("_")
            sql = entry.read_text(encoding="utf-8")
            found.append(Migration(int(number), name, sql, hashlib.sha256(sql.encode()).hexdigest()))
    return sorted(found, key=lambda migration: migration.version)


async def migration_status(connection: Connection) -> list[MigrationStatus]:
    """Return every migration of this release with when it was applied. Changes nothing.

    Raises Conflict where the database has a newer release's migration that older ones cannot work with, or an applied
    file was edited since.
    """
    applied = {}
    if await connection.fetchval("select to_regclass('schema_migration')") is not None:
        # The column came later than the table, and reading must not add it.
        rows = await connection.fetch(
            """select version, name, checksum, applied_at,
                      coalesce((to_jsonb(stored) ->> 'is_compatible')::boolean, false) as is_compatible
               from schema_migration stored"""
        )
        applied = {row["version"]: row for row in rows}
    known = list_migrations()
    for version in sorted(applied.keys() - {migration.version for migration in known}):
        if not applied[version]["is_compatible"]:
            raise Conflict(
                f"The database has migration {version}, which this release does not know: update KillReport."
            )
    for migration in known:
        row = applied.get(migration.version)
        if row is not None and row["checksum"] != migration.checksum:
            raise Conflict(f"Migration {migration.version} differs from the one that was applied (checksum).")
    return [
        MigrationStatus(migration, applied[migration.version]["applied_at"] if migration.version in applied else None)
        for migration in known
    ]


async def pending_migrations(connection: Connection) -> list[Migration]:
    """Return what `upgrade` would apply, in order. Raises like `migration_status`."""
    return [status.migration for status in await migration_status(connection) if status.applied_at is None]


async def upgrade(
    connection: Connection,
    when_applied: Callable[[Migration], None] | None = None,
    *,
    preparations: Mapping[str, Preparation] = MappingProxyType({}),
    before: str | None = None,
) -> Sequence[Migration]:
    """Apply what is pending and return it; safe to run twice at once, the second waits and finds nothing to do.

    Each file commits alone, so a failure leaves a whole version. Raises Transient where a lock that a migration needs
    is held for more than 5 seconds by somebody else: nothing of that file is applied, and running it again is right;
    Refused where the server says no to a statement; Conflict like `migration_status`.
    when_applied: called after each file has been committed. preparations: by the name of the migration that needs
    one. before: the migration of this name and those after it stay pending.
    """
    server = connection.get_server_version()
    if server.major < MIN_SERVER:
        raise Conflict(f"PostgreSQL {MIN_SERVER} or newer is required; this server is {server.major}.")
    done = []
    await connection.execute("select pg_advisory_lock($1)", MIGRATION_LOCK)
    try:
        for migration in await pending_migrations(connection):
            if migration.name == before:
                break
            await _apply(connection, migration, preparations.get(migration.name))
            done.append(migration)
            if when_applied is not None:
                when_applied(migration)
    finally:
        # Closed under the statement, it has no lock any more, and what closed it is the news.
        if not connection.is_closed():
            await connection.execute("select pg_advisory_unlock($1)", MIGRATION_LOCK)
    return done


async def _apply(connection: Connection, migration: Migration, preparation: Preparation | None) -> None:
    if preparation is not None:
        await preparation.ahead(connection)
    try:
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            await connection.execute(
                """create table if not exists schema_migration (
                       version integer primary key, name text not null, checksum text not null,
                       applied_at timestamptz not null default now())"""
            )
            await connection.execute(
                "alter table schema_migration add column if not exists is_compatible boolean not null default false"
            )
            if preparation is not None:
                await preparation.within(connection)
            await connection.execute(migration.sql)
            await connection.execute(
                "insert into schema_migration (version, name, checksum, is_compatible) values ($1, $2, $3, $4)",
                migration.version,
                migration.name,
                migration.checksum,
                migration.is_compatible,
            )
    except (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError):
        raise Transient(
            f"Migration {migration.version} ({migration.name}) got no lock in {LOCK_TIMEOUT_SECONDS} s "
            "and was not applied; run it again when the database is less busy."
        ) from None
    except asyncpg.PostgresConnectionError:
        raise
    except asyncpg.PostgresError as error:
        raise Refused(f"Migration {migration.version} ({migration.name}) was not applied: {error}.") from error
