"""The jobs that keep and count: one row a day, the right sums, and twice the same."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from killreport.db.database import Database
from tests.integration.cron.conftest import RunJob

TABLES = {
    "snapshot-alliances": "select * from alliance_snapshot order by 1, 2",
    "snapshot-corporations": "select * from corporation_snapshot order by 1, 2",
    "update-alliance-counts": "select alliance_id, kills, losses, isk_destroyed_cents, isk_lost_cents, member_count,"
    " corporation_count from alliance order by 1",
}


@pytest.fixture(autouse=True)
async def _stored(database: Database) -> None:
    """Store two alliances, one with two corporations, and what they did on two days."""
    async with database.connection() as connection:
        await connection.execute(
            """insert into alliance (alliance_id, name, ticker) values
                   (99000001, 'First', 'ONE'), (99000002, 'Second', 'TWO');
               insert into corporation (corporation_id, name, ticker, ceo_id, alliance_id, member_count) values
                   (98000001, 'A', 'AAA', 2112000001, 99000001, 10), (98000002, 'B', 'BBB', null, 99000001, 5),
                   (98000003, 'C', 'CCC', null, null, 7);
               insert into total_stat (entity_kind, entity_id, kills, losses, solo_kills, final_blows, points_won,
                   points_lost, isk_destroyed_cents, isk_lost_cents, npc_losses, npc_isk_lost_cents)
                   values (3, 99000001, 8, 4, 0, 0, 0, 0, 2000, 600, 0, 0)"""
        )


async def rows(database: Database, name: str) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(TABLES[name])]


async def test_alliances_are_kept_with_their_members_and_corporations(database: Database, run: RunJob) -> None:
    report = await run("snapshot-alliances")
    kept = await rows(database, "snapshot-alliances")
    today = kept[0][1]
    assert kept == [
        (99000001, today, "First", "ONE", None, 15, 2),
        (99000002, today, "Second", "TWO", None, 0, 0),
    ]
    assert report.sentence == f"2 alliances kept as they are on {today}."


async def test_corporations_are_kept_with_their_ceo_and_alliance(database: Database, run: RunJob) -> None:
    report = await run("snapshot-corporations")
    kept = await rows(database, "snapshot-corporations")
    today = kept[0][1]
    assert kept == [
        (98000001, today, "A", "AAA", 2112000001, 99000001, 10),
        (98000002, today, "B", "BBB", None, 99000001, 5),
        (98000003, today, "C", "CCC", None, None, 7),
    ]
    assert report.counts == {"kept": 3}


async def test_alliances_are_counted_from_the_daily_figures(database: Database, run: RunJob) -> None:
    report = await run("update-alliance-counts")
    assert await rows(database, "update-alliance-counts") == [
        (99000001, 8, 4, 2000, 600, 15, 2),
        (99000002, 0, 0, 0, 0, 0, 0),
    ]
    assert report.counts == {"changed": 2}
    assert (await run("update-alliance-counts")).counts == {"changed": 0}


@pytest.mark.parametrize("name", TABLES)
async def test_twice_in_a_row_and_twice_at_once_leave_what_once_leaves(
    database: Database, run: RunJob, name: str
) -> None:
    await run(name)
    once = await rows(database, name)
    await run(name)
    assert await rows(database, name) == once
    reports = await asyncio.gather(run(name), run(name))
    assert await rows(database, name) == once
    assert {report.status for report in reports} <= {"succeeded", "skipped"}


async def test_rankings_are_counted_for_every_window_longer_than_a_day(database: Database, run: RunJob) -> None:
    await run("update-rankings")
    async with database.connection() as connection:
        windows = await connection.fetch("select time_window from ranking_run order by 1")
        places = await connection.fetch(
            "select metric, place, entity_id, kills from ranking where time_window = 'all' order by 1"
        )
    assert [row[0] for row in windows] == ["30d", "7d", "90d", "all", "month", "week"]
    assert [tuple(row) for row in places] == [
        (metric, 1, 99000001, 8) for metric in ("isk_destroyed", "isk_lost", "kills", "losses")
    ]
