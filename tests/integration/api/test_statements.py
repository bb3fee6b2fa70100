"""What the API asks of the database: how many statements, and how they are planned."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.recording import RecordingDatabase, without_limits
from tests.integration.kills import KILLER, store_many
from tests.integration.serving import GraphQL, serving

EVERYTHING = """fragment Everything on Killmail {
  id victim { character { name } corporation { name } alliance { name } shipType { name group { category { name } } } }
  finalBlow { character { name } corporation { name } shipType { name } }
  solarSystem { name region { name } } values { total } labels
  attackers { character { name } corporation { name } alliance { name } shipType { name } weaponType { name } }
  items { type { name } items { type { name } } }
}"""
LIST = "query($first: Int!, $after: String) { killmails(first: $first, after: $after) { nodes { ...Everything } } }"
ONE = "query($id: ID64!) { killmail(id: $id) { ...Everything } }"


@pytest.fixture
def recording(database: Database) -> RecordingDatabase:
    """Return the test's database, noting statements."""
    return RecordingDatabase(database)


@pytest.fixture
async def api(settings: Settings, recording: RecordingDatabase) -> AsyncIterator[GraphQL]:
    """Yield a client of an API whose statements are noted."""
    async with serving(create_app(without_limits(settings), recording)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


async def test_a_page_takes_five_statements_whether_it_has_one_kill_or_fifty(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 50)
    # The killmails; names of victims and final blows; attackers; their names; items.
    assert await recording.count(api, LIST + EVERYTHING, {"first": 1}) == 5
    assert await recording.count(api, LIST + EVERYTHING, {"first": 50}) == 5


async def test_a_list_reads_two_statements(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 50)
    query = "query($first: Int!) { killmails(first: $first) { nodes { id victim { character { name } } } } }"
    assert await recording.count(api, query, {"first": 1}) == 2
    assert await recording.count(api, query, {"first": 50}) == 2


async def test_a_page_takes_as_many_statements_for_a_hundred_kills_as_for_one(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 100)
    for parts in ("attackers { character { name } }", "items { type { name } }", "victim { corporation { name } }"):
        query = f"query($first: Int!) {{ killmails(first: $first) {{ nodes {{ id {parts} }} }} }}"
        one = await recording.count(api, query, {"first": 1})
        assert await recording.count(api, query, {"first": 100}) == one


async def test_the_subscribers_of_a_kill_share_one_load_of_its_attackers(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    follow = "subscription { killmailStored { attackers { character { name } } } }"
    async with api.subscription(follow) as one, api.subscription(follow) as other:
        recording.statements.clear()
        await store_many(writer, database, 1)
        for ws in (one, other):
            assert (await ws.receive_json(timeout=20))["type"] == "next"
    # The killmail; names of victim and final blow; attackers; their names.
    assert len(recording.statements) == 4


async def test_one_killmail_takes_two_statements(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 3)
    # The killmail with its attackers and items; all their names.
    assert await recording.count(api, ONE + EVERYTHING, {"id": 1001}) == 2


async def test_points_and_labels_of_a_killmail_read_no_names_of_its_attackers(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 1)

    async def asked_for(fields: str) -> set[object]:
        await recording.count(api, f"{{ killmail(id: 1000) {{ {fields} }} }}", {})
        arguments = [one for _, several in recording.statements for one in several]
        return {id_ for ids in arguments if isinstance(ids, list) for id_ in ids}

    assert KILLER + 1 in await asked_for("attackers { character { name } }")
    assert KILLER + 1 not in await asked_for("pointsFactors { points } labelEvidence { label }")


async def test_neither_the_list_nor_a_kill_nor_the_status_scans_the_facts(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 2)
    async with database.transaction() as connection:
        await connection.execute(_MULTIPLY)
    async with database.connection() as connection:
        await connection.execute("analyze")
    first = await api.data("{ killmails(first: 1) { pageInfo { endCursor } } }")
    recording.statements.clear()
    after = first["killmails"]["pageInfo"]["endCursor"]
    await api.data(LIST + EVERYTHING, {"first": 50, "after": None})
    await api.data(LIST + EVERYTHING, {"first": 50, "after": after})
    await api.data(ONE + EVERYTHING, {"id": 1001})
    await api.data("{ status { killmailCount lastStoredAt feedSequence } }")
    assert len(recording.statements) == 13

    async with database.connection() as connection:
        for statement, arguments in list(recording.statements):
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}", *arguments))
            for table in ("killmail", "event"):
                assert f"Seq Scan on {table} " not in f"{plan} ", f"{statement}\n{plan}"


# 20,000 killmails like the first, so that the planner has a choice.
_MULTIPLY = """
create temporary table copy on commit drop as select * from killmail where killmail_id = 1000;
insert into killmail
  select (jsonb_populate_record(copy, jsonb_build_object(
    'killmail_id', 5000 + number, 'killmail_time', copy.killmail_time - number * interval '1 second'))).*
    from copy, generate_series(1, 20000) as number;
insert into event (kind, killmail_ids, first_place, first_sequence)
  select 'stored', array[5000 + number], 5000 + number, 5000 + number from generate_series(1, 20000) number;
"""
