"""The static data in a database: the seed, an import over it, and what a failed import leaves."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from killreport.cron.update_static_data import is_urgent
from killreport.db.database import Connection, Database, open_pool
from killreport.errors import NotFound
from killreport.eve import load
from killreport.eve.importer import StaticDataRelease, read_static_data, store_static_data, stored_release
from killreport.eve.load import keep_packaged_universe, load_universe, read_packaged_universe
from killreport.eve.seed import load_seed
from killreport.eve.universe import Blueprint, Universe
from tests.unit.eve.archives import WHOLE, archive_of

TABLES = (
    *("eve_type", "eve_group", "eve_category", "eve_market_group", "eve_meta_group", "eve_region"),
    *("eve_constellation", "eve_system", "eve_faction", "eve_corporation", "price_reference"),
)


@pytest.fixture(autouse=True)
def _nothing_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything read from the database, whatever other tests keep."""
    monkeypatch.setattr(load, "_kept", [])


async def counts(connection: Connection) -> dict[str, int]:
    """Return how many rows each table of static data has."""
    return {table: await connection.fetchval(f"select count(*) from {table}") for table in TABLES}


def small_data() -> StaticDataRelease:
    """Return a release of two types."""
    return read_static_data(archive_of(), "test.zip")


async def test_a_first_start_knows_every_type_and_system(database: Database) -> None:
    async with database.connection() as connection:
        assert await counts(connection) == {
            "eve_type": 53289,
            "eve_group": 1611,
            "eve_category": 48,
            "eve_market_group": 2114,
            "eve_meta_group": 13,
            "eve_region": 112,
            "eve_constellation": 1174,
            "eve_system": 8436,
            "eve_faction": 27,
            "eve_corporation": 283,
            "price_reference": 1165,
        }
        release = await stored_release(connection)

    assert release is not None
    assert (release.build_number, release.source) == (3650286, "seed")
    assert release.released_at.isoformat() == "2026-10-26T11:08:19+00:00"


async def test_the_seed_is_loaded_once(database: Database) -> None:
    async with database.connection() as connection:
        loaded_at = await connection.fetchval("select loaded_at from static_data")

        assert await load_seed(connection) is False
        assert await connection.fetchval("select loaded_at from static_data") == loaded_at


async def test_the_seed_replaces_no_newer_data_but_brings_missing_prices(database: Database) -> None:
    async with database.connection() as connection:
        await store_static_data(connection, small_data(), "ccp")
        await connection.execute("delete from price_reference")

        assert await load_seed(connection) is True

        found = await counts(connection)
        assert (found["eve_type"], found["price_reference"]) == (2, 1165)
        assert await load_seed(connection) is False


async def test_several_processes_may_load_the_seed_at_once(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from static_data; delete from eve_type; delete from price_reference")

    async def load() -> bool:
        async with database.connection() as connection:
            return await load_seed(connection)

    assert sorted(await asyncio.gather(load(), load(), load())) == [False, False, True]
    async with database.connection() as connection:
        assert (await counts(connection))["eve_type"] == 53289


async def test_everything_in_memory_is_what_was_stored(database: Database) -> None:
    async with database.connection() as connection:
        universe = await load_universe(connection)

    assert universe.build_number == 3650286
    assert (len(universe.types), len(universe.systems), len(universe.regions)) == (53289, 8436, 112)
    assert universe.type_name(587) == "Rifter"
    category = universe.category_of(587)
    assert universe.groups[universe.types[670].group_id].name == "Capsule"
    assert category is not None
    assert category.name == "Ship"
    jita = universe.systems[30000142]
    assert (jita.name, jita.security_status) == ("Jita", 0.945913116665)
    assert universe.regions[jita.region_id].name == "The Forge"
    assert universe.constellations[jita.constellation_id].name == "Kimotoro"
    assert universe.factions[500001].militia_corporation_id == 1000180
    assert universe.corporations[1000125].name == "CONCORD"
    assert universe.market_groups[812].parent_market_group_id == 1381
    assert universe.meta_groups[2].name == "Tech II"


async def test_capital_hulls_are_known(database: Database) -> None:
    async with database.connection() as connection:
        universe = await load_universe(connection)
    avatar, naglfar, molok, charon, rorqual, abaddon = 11567, 19722, 42241, 20185, 28352, 24692

    assert [universe.is_capital(hull) for hull in (avatar, naglfar, molok, charon, rorqual)] == [True] * 5
    assert universe.is_capital(abaddon) is False


async def test_an_import_replaces_everything(database: Database) -> None:
    async with database.connection() as connection:
        await store_static_data(connection, small_data(), "https://example.test/sde.zip")
        universe = await load_universe(connection)
        release = await stored_release(connection)

    assert sorted(universe.types) == [587, 600]
    assert list(universe.systems) == [30000142]
    assert universe.build_number == 77
    assert release is not None
    assert release.source == "https://example.test/sde.zip"


async def test_an_import_may_be_repeated(database: Database) -> None:
    async with database.connection() as connection:
        await store_static_data(connection, small_data(), "once")
        await store_static_data(connection, small_data(), "twice")

        assert (await counts(connection))["eve_type"] == 2
        assert await connection.fetchval("select source from static_data") == "twice"


async def test_readers_see_the_old_data_until_an_import_commits(database: Database) -> None:
    async with database.transaction() as importing:
        await store_static_data(importing, small_data(), "ccp")
        async with database.connection() as reading:
            universe = await load_universe(reading)

    assert len(universe.types) == 53289


async def test_a_failing_import_leaves_the_old_data(database: Database) -> None:
    good = small_data()
    *others, types = good.tables
    bad = type(types)(types.table, types.columns, [*types.rows, types.rows[0]])
    async with database.connection() as connection:
        with pytest.raises(asyncpg.UniqueViolationError):
            await store_static_data(connection, StaticDataRelease(1, good.released_at, (*others, bad)), "ccp")

        assert (await counts(connection))["eve_type"] == 53289
        assert (await counts(connection))["eve_region"] == 112
        assert await connection.fetchval("select build_number from static_data") == 3650286


async def test_an_empty_database_says_what_it_lacks(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute("delete from static_data")

        assert await stored_release(connection) is None
        with pytest.raises(NotFound, match="no static data yet"):
            await load_universe(connection)


async def test_the_pool_is_usable_after_a_load(database_url: str) -> None:
    async with open_pool(database_url, 1, "test") as database:
        async with database.connection() as connection:
            await load_universe(connection)
        async with database.transaction() as connection:
            await connection.execute("update price_version set version = version")
            assert await connection.fetchval("select version from price_version") == 0


async def test_ccps_own_shape_of_the_whole_is_read(database: Database, data: Path) -> None:
    path = data / "sde" / "ccp_shape" / "eve-online-static-data-3650286-jsonl.zip"
    static_data = read_static_data(io.BytesIO(path.read_bytes()), path.name)
    async with database.connection() as connection:
        before = await counts(connection)
        await store_static_data(connection, static_data, path.name)

        assert await counts(connection) == before


def parts_of(universe: Universe) -> dict[str, object]:
    return {name: value for name, value in vars(universe).items() if not name.startswith("_")}


async def test_the_seed_in_the_database_is_what_the_package_brings(database: Database) -> None:
    async with database.connection() as connection:
        assert parts_of(await load_universe(connection)) == parts_of(read_packaged_universe())


async def test_a_kept_universe_is_used_only_where_the_database_has_the_same(database: Database) -> None:
    keep_packaged_universe()
    keep_packaged_universe()
    (kept,) = load._kept
    async with database.connection() as connection:
        assert await load_universe(connection) is kept

        await connection.execute(
            """insert into eve_type (type_id, name, group_id, category_id, is_published, is_overheatable)
               select 999999999, 'Of tomorrow', group_id, category_id, true, false from eve_group limit 1"""
        )
        found = await load_universe(connection)
        assert found is not kept
        assert found.type_name(999999999) == "Of tomorrow"

        await store_static_data(connection, small_data(), "ccp")
        assert len((await load_universe(connection)).types) == 2


async def test_what_an_older_release_left_out_is_added_and_the_whole_is_asked_for(database: Database) -> None:
    async with database.connection() as connection:
        assert not await is_urgent(connection)
        await connection.execute("update eve_type set portion_size = 1")
        await connection.execute("update static_data set extent = 1, build_number = 99999999, source = 'ccp'")
        loaded_at = await connection.fetchval("select loaded_at from static_data")

        assert await load_seed(connection) is True
        assert await load_seed(connection) is False

        sizes = await connection.fetch(
            "select type_id, portion_size from eve_type where type_id in (34, 222, 2629) order by 1"
        )
        assert [tuple(row) for row in sizes] == [(34, 1), (222, 100), (2629, 5000)]
        # What was newer stays; the next update loads it again, whole.
        assert tuple(await connection.fetchrow("select build_number, loaded_at from static_data")) == (
            99999999,
            loaded_at,
        )
        assert await is_urgent(connection)


async def test_blueprints_are_kept_by_what_they_make(database: Database) -> None:
    def line(key: int, product: int, quantity: int) -> dict[str, Any]:
        made = {"materials": [{"typeID": 600, "quantity": quantity}], "products": [{"typeID": product, "quantity": 2}]}
        return {"_key": key, "activities": {"manufacturing": made}}

    types = [*WHOLE["types.jsonl"], {"_key": 691, "name": {"en": "Blueprint"}, "groupID": 25, "published": True}]
    # Of three for one product the published one; of several products each its own.
    blueprints = [line(690, 587, 7), line(691, 587, 8), line(689, 587, 9), line(700, 600, 1)]
    data = read_static_data(archive_of({"types.jsonl": types, "blueprints.jsonl": blueprints}), "test.zip")
    async with database.connection() as connection:
        await store_static_data(connection, data, "ccp")
        universe = await load_universe(connection)

    assert universe.blueprints == {
        587: Blueprint(587, 2, ((600, 8),), False),
        600: Blueprint(600, 2, ((600, 1),), False),
    }
