"""The quarantine never grows without end: the oldest entries go, counted, and the status says what is there."""

from __future__ import annotations

from typing import Any

import pytest
from structlog.testing import capture_logs

from killreport.cli.data import db
from killreport.config import Settings
from killreport.db.database import Database
from killreport.ingest.reading import load_writer
from killreport.killmail.stored.quarantine import (
    QuarantineBound,
    Reject,
    quarantine_bound,
    quarantine_summary,
    save_rejects,
)


def reject(number: int, *, source: str = "import", size: int = 10) -> Reject:
    return Reject(source, f"file:{number}", f"the hash {number:040x} is wrong ({number})", "$", b"%d" % number * size)


async def fetch(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def test_beyond_so_many_entries_the_oldest_go_and_are_counted_by_source(database: Database) -> None:
    bound = QuarantineBound(max_entries=5)
    with capture_logs() as logs:
        async with database.connection() as connection:
            for first in range(0, 12, 3):
                source = "import" if first < 6 else "r2z2"
                rejects = [reject(number, source=source) for number in range(first, first + 3)]
                await save_rejects(connection, rejects, bound)

    assert await fetch(database, "select count(*) from quarantine where source = 'r2z2'") == [(5,)]
    assert await fetch(database, "select source, entries from quarantine_dropped order by 1") == [
        ("import", 6),
        ("r2z2", 1),
    ]
    assert sum(line["dropped"] for line in logs if line["event"] == "quarantine_full") == 7


async def test_beyond_so_many_bytes_the_oldest_go(database: Database) -> None:
    async with database.connection() as connection:
        for number in range(1, 9):
            await save_rejects(connection, [reject(number, size=1000)], QuarantineBound(max_bytes=3500))

    assert await fetch(database, "select reference from quarantine order by 1") == [
        ("file:6",),
        ("file:7",),
        ("file:8",),
    ]
    assert await fetch(database, "select entries, bytes from quarantine_dropped") == [(5, 5000)]


async def test_the_summary_counts_reasons_without_what_differs_between_them(database: Database) -> None:
    async with database.connection() as connection:
        await save_rejects(connection, [reject(number) for number in range(7)], QuarantineBound(max_entries=6))
        await save_rejects(connection, [Reject("r2z2", "r2z2 1", "it is nested too deeply", "$", b"[")])
        found = await quarantine_summary(connection)

    assert (found.entries, found.dropped_entries) == (7, 1)
    assert found.reasons == {"the hash … is wrong …": 6, "it is nested too deeply": 1}
    assert found.oldest is not None


async def test_a_writer_keeps_the_bound_that_is_set(database: Database, settings: Settings) -> None:
    small = settings.replace(quarantine_max_entries=2)
    assert quarantine_bound(small) == QuarantineBound(2, settings.quarantine_max_mb * 2**20)
    writer = await load_writer(database, small)

    for number in range(5):
        await writer.store(database, [], rejects=[reject(number)])

    assert await fetch(database, "select count(*) from quarantine") == [(2,)]


async def test_the_status_of_the_database_shows_it(
    database: Database, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    async with database.connection() as connection:
        await save_rejects(connection, [reject(number) for number in range(4)], QuarantineBound(max_entries=3))
    where, found = await db.read_status(settings)
    described = db.describe(settings, where, found) | {"quarantine": await db.read_quarantine(settings)}

    db.print_status(described)

    told = [" ".join(line.split()) for line in capsys.readouterr().out.splitlines()]
    assert "Quarantine 3 entries, 0.0 MB" in told
    assert "3 × the hash … is wrong …" in told
    assert "1 older ones are gone: it was full" in told
