"""Snapshots and counts: right, the same when done twice, and few statements whatever the number."""

from __future__ import annotations

import asyncio
from datetime import date

from killreport.db.database import Connection, Database
from killreport.entity.counts import Recounted, update_alliance_counts
from killreport.entity.kind import EntityKind
from killreport.entity.snapshots import snapshot_alliances, snapshot_corporations

TODAY = date(2026, 11, 24)
UNION, LONE = 99_000_001, 99_000_002


async def fill(connection: Connection) -> None:
    """Two corporations of 5 and 7 members in one alliance, a third outside, and an alliance of nobody."""
    await connection.execute(
        """insert into corporation (corporation_id, name, ticker, member_count, ceo_id, alliance_id)
           values (98000001, 'One', 'ONE', 5, 90000001, 99000001), (98000002, 'Two', 'TWO', 7, null, 99000001),
                  (98000003, 'Three', 'THREE', 9, null, null)"""
    )
    await connection.execute(
        "insert into alliance (alliance_id, name, ticker) values ($1, 'Union', 'U'), ($2, 'Lone', 'L')", UNION, LONE
    )


async def test_a_snapshot_is_the_state_of_its_day_and_the_later_one_of_a_day_stays(database: Database) -> None:
    async with database.transaction() as connection:
        await fill(connection)
        assert await snapshot_alliances(connection, TODAY) == 2
        assert await snapshot_corporations(connection, TODAY) == 3
        await connection.execute("update corporation set member_count = 6 where corporation_id = 98000001")
        await snapshot_alliances(connection, TODAY)
        await snapshot_corporations(connection, TODAY)
        alliances = await connection.fetch(
            "select alliance_id, day, member_count, corporation_count from alliance_snapshot order by 1"
        )
        members = await connection.fetch("select member_count from corporation_snapshot order by corporation_id")
    assert [tuple(row) for row in alliances] == [(UNION, TODAY, 13, 2), (LONE, TODAY, 0, 0)]
    assert [row[0] for row in members] == [6, 7, 9]


async def test_two_snapshots_at_the_same_moment_leave_one_row_an_entity(database: Database) -> None:
    async with database.transaction() as connection:
        await fill(connection)

    async def snapshot() -> None:
        async with database.transaction() as connection:
            await snapshot_alliances(connection, TODAY)
            await snapshot_corporations(connection, TODAY)

    await asyncio.gather(*(snapshot() for _ in range(4)))
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from alliance_snapshot") == 2
        assert await connection.fetchval("select count(*) from corporation_snapshot") == 3


async def test_counts_are_those_of_the_whole_life_and_are_written_only_where_they_changed(database: Database) -> None:
    async with database.transaction() as connection:
        await fill(connection)
        await connection.execute(
            """insert into total_stat (entity_kind, entity_id, kills, losses, solo_kills, final_blows, points_won,
                   points_lost, isk_destroyed_cents, isk_lost_cents, npc_losses, npc_isk_lost_cents)
               values ($1, $2, 6, 4, 0, 0, 0, 0, 2000, 1000, 0, 0)""",
            int(EntityKind.ALLIANCE),
            UNION,
        )
        changed = await update_alliance_counts(connection)
        assert (changed.count, sorted(changed.resized_ids)) == (2, [UNION, LONE])
        assert await update_alliance_counts(connection) == Recounted(0, [])
        await connection.execute("update total_stat set kills = 10")
        assert await update_alliance_counts(connection) == Recounted(1, [])
        await connection.execute("update total_stat set kills = 6")
        await update_alliance_counts(connection)
        row = await connection.fetchrow(
            """select kills, losses, isk_destroyed_cents::bigint, isk_lost_cents::bigint, member_count,
                      corporation_count from alliance where alliance_id = $1""",
            UNION,
        )
    assert tuple(row) == (6, 4, 2000, 1000, 12, 2)
