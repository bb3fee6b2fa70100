"""Killmails of an older release after the upgrade: they are taken out of what they were counted in."""

from __future__ import annotations

import pytest

from killreport.db.database import Database
from killreport.db.migrate import list_migrations
from killreport.eve.load import load_universe
from killreport.killmail.writing.recount import rebuild_rollups, recount_differences
from killreport.killmail.writing.rederive_due import rederive_due
from killreport.killmail.writing.remove import remove_killmails
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.kills import RIFTER, arrival, store

NOTED = "insert into derive_due (kind, id, version)\n"


@pytest.fixture
async def upgraded(database: Database) -> None:
    """Leave two killmails as an older release would have, which asked ESI for their hull, a known one, and upgrade."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        writer = KillmailWriter(universe, await load_price_book(connection, universe))
    await store(writer, database, arrival(1), arrival(2))
    migrations = {migration.name: migration.sql for migration in list_migrations()}
    async with database.transaction() as connection:
        await connection.execute("update killmail set final_blow_ship_group_id = null")
        await connection.execute(
            "insert into type_detail (type_id, description, refreshed_at) values ($1, 'A Minmatar frigate.', now())",
            RIFTER,
        )
        noting = migrations["static_changes"].partition(NOTED)
        await connection.execute(noting[1] + noting[2])
        await connection.execute(migrations.get("groups_before", "select"))


@pytest.mark.usefixtures("upgraded")
async def test_counts_are_right_before_and_after_what_is_due(database: Database) -> None:
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from derive_due") == 1
        assert await recount_differences(connection) == []
    assert await rederive_due(database) == 0
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from derive_due") == 0
        assert await recount_differences(connection) == []


@pytest.mark.usefixtures("upgraded")
async def test_one_that_is_removed_or_derived_otherwise_meanwhile_is_taken_out_whole(database: Database) -> None:
    assert await remove_killmails(database, [1], "a test") == [1]
    # As an older release's labels were.
    async with database.connection() as connection:
        await connection.execute("update killmail set labels = 0, ship_category_id = null where killmail_id = 2")
        await rebuild_rollups(connection)
    assert await rederive_due(database) == 1
    async with database.connection() as connection:
        assert await recount_differences(connection) == []
