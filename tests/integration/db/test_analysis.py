"""The views for analysts and the role that reads them: their names and columns are a promise, so this pins them."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path

import asyncpg
import pytest
from typer.testing import CliRunner

from killreport.cli.data.db import app
from killreport.config import Settings
from killreport.db.analyst import Analyst, make_analyst, remove_analyst
from killreport.db.database import Database, open_database
from killreport.db.migrate import upgrade
from killreport.db.url import with_user
from killreport.errors import Conflict
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.kills import CONTAINER, NOON, PILOT, RIFTER, TRITANIUM, arrival, name_everybody, store

# Never take one away or rename one: somebody's queries stand on them. Add at the end.
PROMISED = {
    "attackers": "killmail_id ordinal killed_at character_id character_name corporation_id corporation_name "
    "alliance_id alliance_name faction_id faction_name ship_type_id ship_type_name weapon_type_id weapon_type_name "
    "damage_done is_final_blow security_status",
    "items": "killmail_id ordinal parent_ordinal killed_at type_id type_name group_id group_name category_id "
    "category_name flag slot quantity_dropped quantity_destroyed singleton unit_price_isk",
    "killmails": "killmail_id killmail_hash killed_at stored_at solar_system_id solar_system_name security_status "
    "constellation_id constellation_name region_id region_name victim_character_id victim_character_name "
    "victim_corporation_id victim_corporation_name victim_alliance_id victim_alliance_name victim_faction_id "
    "victim_faction_name ship_type_id ship_type_name ship_group_id ship_group_name final_blow_character_id "
    "final_blow_character_name final_blow_corporation_id final_blow_corporation_name final_blow_alliance_id "
    "final_blow_alliance_name final_blow_ship_type_id final_blow_ship_type_name damage_taken attacker_count "
    "player_attacker_count total_isk destroyed_isk dropped_isk fitted_isk is_value_complete points is_solo is_npc "
    "is_awox labels war_id moon_id location_id position_x position_y position_z",
    "prices": "type_id type_name day average_isk source",
}


async def test_names_and_columns_are_as_promised(database: Database) -> None:
    async with database.connection() as connection:
        rows = await connection.fetch(
            """select relname, string_agg(attname, ' ' order by attnum) as columns
               from pg_class join pg_attribute on attrelid = pg_class.oid and attnum > 0
               where relnamespace = 'analysis'::regnamespace group by relname"""
        )

    assert {row["relname"]: row["columns"] for row in rows} == PROMISED


async def test_no_table_view_or_column_is_without_a_comment(database: Database) -> None:
    async with database.connection() as connection:
        rows = await connection.fetch(
            """select pg_class.oid::regclass::text || coalesce('.' || attname, '') as bare
               from pg_class left join pg_attribute on attrelid = pg_class.oid and attnum > 0 and not attisdropped
               where relnamespace in ('analysis'::regnamespace, current_schema()::regnamespace)
                 and relkind in ('r', 'p', 'v') and col_description(pg_class.oid, attnum) is null
               union all
               select oid::regclass::text from pg_class
               where relnamespace in ('analysis'::regnamespace, current_schema()::regnamespace)
                 and relkind in ('r', 'p', 'v') and obj_description(oid, 'pg_class') is null"""
        )

    assert [row["bare"] for row in rows] == [], "say in your migration what it is: comment on table …, on column …"


@pytest.fixture
async def stored(database: Database) -> None:
    """Store two killmails whose people have names."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        writer = KillmailWriter(universe, await load_price_book(connection, universe))
    inside = {"item_type_id": TRITANIUM, "flag": 5, "singleton": 0, "quantity_dropped": 7}
    holder = {"item_type_id": CONTAINER, "flag": 5, "singleton": 1, "quantity_destroyed": 1, "items": [inside]}
    fitted = {"item_type_id": 2048, "flag": 11, "singleton": 0, "quantity_destroyed": 1}
    await store(writer, database, arrival(1, attackers=3), arrival(2, items=[fitted, holder]))
    await name_everybody(database)


@pytest.mark.usefixtures("stored")
async def test_views_have_the_names_and_the_worth_of_what_is_stored(database: Database) -> None:
    async with database.connection() as connection:
        killmail = await connection.fetchrow("select * from analysis.killmails where killmail_id = 2")
        cents = await connection.fetchval("select total_value_cents from killmail where killmail_id = 2")
        attackers = await connection.fetch("select * from analysis.attackers where killmail_id = 1 order by ordinal")
        items = await connection.fetch("select * from analysis.items where killmail_id = 2 order by ordinal")
        counts = await connection.fetchrow(
            "select (select count(*) from analysis.killmails), (select count(*) from analysis.attackers)"
        )

    assert tuple(counts) == (2, 4)
    assert (killmail["killed_at"], killmail["solar_system_name"], killmail["region_name"]) == (
        NOON,
        "Jita",
        "The Forge",
    )
    assert (killmail["victim_character_id"], killmail["victim_character_name"]) == (PILOT, "Alice")
    assert (killmail["ship_type_id"], killmail["ship_type_name"]) == (RIFTER, "Rifter")
    assert killmail["total_isk"] == Decimal(cents) / 100
    assert [row["is_final_blow"] for row in attackers] == [True, False, False]
    assert [(row["type_name"], row["slot"], row["parent_ordinal"], row["quantity_dropped"]) for row in items] == [
        ("Damage Control II", "low", None, 0),
        ("Small Secure Container", "cargo", None, 0),
        ("Tritanium", "cargo", 1, 7),
    ]


@pytest.fixture
async def role(database: Database) -> AsyncIterator[str]:
    """Yield the name of a role that is not there, and take it away afterwards."""
    name = f"killreport_test_{secrets.token_hex(6)}"
    yield name
    async with database.apart() as owner:
        await remove_analyst(owner, database.apart(), name)


@pytest.mark.usefixtures("stored")
async def test_an_analyst_reads_the_views_and_nothing_else(database: Database, role: str) -> None:
    wanted = Analyst(role, seconds=7, connections=2, password="never-in-a-log")
    async with database.apart() as owner:
        assert await make_analyst(owner, database.apart(), wanted) is True
        assert await make_analyst(owner, database.apart(), wanted) is False
        verifier = await owner.fetchval("select rolpassword from pg_authid where rolname = $1", role)
    assert verifier.startswith("SCRAM-SHA-256$4096:")

    connection = await asyncpg.connect(with_user(database.url, role), password="never-in-a-log")
    try:
        assert await connection.fetchval("select count(*) from killmails") == 2
        assert await connection.fetchval("show statement_timeout") == "7s"
        for statement in (
            "select count(*) from public.killmail",
            "select count(*) from public.esi_cache",
            "insert into public.killmail_value_due values (3)",
            "create table analysis.mine (id int)",
            "drop view killmails",
            f"alter role {role} superuser",
        ):
            # Also where it takes back that its transactions only read.
            await connection.execute("set default_transaction_read_only = off")
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_a_role_that_can_more_is_nobodys_analyst(database: Database) -> None:
    async with database.apart() as owner:
        name = await owner.fetchval("select current_user")
        with pytest.raises(Conflict, match="choose another name"):
            await make_analyst(owner, database.apart(), Analyst(name))


async def test_the_command_makes_and_removes_the_role(settings: Settings, database: Database, role: str) -> None:
    environment = {"KILLREPORT_HOME": str(settings.home), "KILLREPORT_DATABASE_URL": database.url}

    async def run(*arguments: str) -> str:
        result = await asyncio.to_thread(
            CliRunner().invoke, app, ["analyst", "--name", role, *arguments], env=environment
        )
        assert result.exit_code == 0, result.output
        return result.output

    assert f"The role {role} is made: psql '" in await run()
    assert f'"role": "{role}", "new": false' in await run("--json")
    said = await run("--sql")
    assert f"create role {role} login" in said
    assert f'grant connect on database "{database.url.rpartition("/")[2]}" to {role};' in said
    assert await run("--remove") == f"The role {role} is gone.\n"
    assert await run("--remove") == f"There is no role {role}.\n"


async def test_the_embedded_server_lets_its_owner_in_as_the_analyst(tmp_path: Path) -> None:
    settings = Settings(home=tmp_path / "home")
    environment = {"KILLREPORT_HOME": str(settings.home)}
    async with open_database(settings, process="test") as database:
        async with database.apart() as connection:
            await upgrade(connection)
        result = await asyncio.to_thread(CliRunner().invoke, app, ["analyst", "--json"], env=environment)
        assert result.exit_code == 0, result.output
        told = json.loads(result.output)
        assert (told["new"], told["password"]) == (True, None)
        analyst = await asyncpg.connect(told["url"])
        try:
            assert await analyst.fetchval("select count(*) from killmails") == 0
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await analyst.execute("select * from public.killmail")
        finally:
            await analyst.close()
