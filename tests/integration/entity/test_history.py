"""Snapshots tell how much changed since; members come page by page."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from killreport.db.database import Database
from killreport.entity.history import Snapshot, list_members_of, list_snapshots_of
from killreport.entity.kind import EntityKind
from killreport.errors import Refused

DAY = date(2024, 3, 31)


async def test_snapshots_carry_their_differences_where_the_day_before_is_known(database: Database) -> None:
    async with database.connection() as connection:
        await connection.executemany(
            "insert into alliance_snapshot values (9, $1, 'Name', 'TICK', null, $2, $3)",
            [(DAY - timedelta(days=back), 1000 - back, 10) for back in (0, 1, 3, 8, 30, 40)],
        )
        found = await list_snapshots_of(connection, EntityKind.ALLIANCE, [9], until=DAY, days=2)
        nothing = await list_snapshots_of(connection, EntityKind.CORPORATION, [9], until=DAY)
        with pytest.raises(Refused):
            await list_snapshots_of(connection, EntityKind.CHARACTER, [9], until=DAY)
    assert found[9] == [
        Snapshot(DAY - timedelta(days=1), 999, 10, {7: 7}, {7: 0}),
        Snapshot(DAY, 1000, 10, {1: 1, 30: 30}, {1: 0, 30: 0}),
    ]
    assert nothing == {9: []}


async def test_a_corporation_has_no_corporations(database: Database) -> None:
    async with database.connection() as connection:
        await connection.executemany(
            "insert into corporation_snapshot values (8, $1, 'Name', 'TICK', null, null, $2)",
            [(DAY, 5), (DAY - timedelta(days=1), 7)],
        )
        found = await list_snapshots_of(connection, EntityKind.CORPORATION, [8], until=DAY, days=1)
    assert found[8] == [Snapshot(DAY, 5, None, {1: -2}, {})]


async def test_members_are_paged_by_id_without_those_that_are_gone(database: Database) -> None:
    async with database.connection() as connection:
        await connection.executemany(
            "insert into character (character_id, name, corporation_id, gone_at) values ($1, 'Name', $2, $3)",
            [(1, 8, None), (2, 8, None), (3, 7, None), (4, 8, None), (5, 8, datetime(2024, 1, 1, tzinfo=UTC))],
        )
        await connection.execute(
            "insert into corporation (corporation_id, name, ticker, alliance_id) values (8, 'Name', 'TICK', 9)"
        )
        first = await list_members_of(connection, EntityKind.CORPORATION, [8], limit=2)
        second = await list_members_of(connection, EntityKind.CORPORATION, [8], beyond=2, limit=2)
        assert (first, second) == ({8: [1, 2]}, {8: [4]})
        assert await list_members_of(connection, EntityKind.ALLIANCE, [9]) == {9: [8]}
        with pytest.raises(Refused):
            await list_members_of(connection, EntityKind.CHARACTER, [1])
