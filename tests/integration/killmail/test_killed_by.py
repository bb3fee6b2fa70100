"""The index of who killed, as the writer keeps it and as the migration filled it."""

from __future__ import annotations

import re

from killreport.db.database import Connection, Database
from killreport.db.migrate import list_migrations
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.killmail import population

KILLMAILS = 100


def _backfill() -> str:
    """Return the migration's own query."""
    (sql,) = (migration.sql for migration in list_migrations() if migration.name == "killmail_lists")
    found = re.search(r"insert into killed_by .*?\n(select .*?);", sql, re.DOTALL)
    assert found
    return found[1]


async def _rows(connection: Connection, query: str) -> list[tuple[object, ...]]:
    return sorted(tuple(row) for row in await connection.fetch(query))


async def test_the_writer_names_everybody_once_as_the_migration_does(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, population.make_arrivals(KILLMAILS, seed=2))
    await writer.store(database, population.make_arrivals(KILLMAILS, seed=2))  # once more changes nothing
    async with database.connection() as connection:
        written = await _rows(connection, "select code, killmail_time, killmail_id from killed_by")
        assert written == await _rows(connection, _backfill())
    assert len(written) > KILLMAILS
