"""What entities, rankings, search and totals ask of the database: how many statements, and no scan of the facts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.recording import RecordingDatabase, without_limits
from tests.integration.kills import CORPORATION, KILLER, KILLERS_CORPORATION, PILOT, store_many
from tests.integration.serving import GraphQL, serving

ALLIANCE = 99000001
LISTS = "kills { nodes { victim { character { name } } } } losses { nodes { id } } killmails { nodes { id } }"
FIGURES = """statistics { totals { kills } months { month } activity { kills } shipGroups { used { count } } }
    topLists { characters { entity { ...on Character { name } } } }"""
CHARACTER = f"""birthday gender title securityStatus refreshedAt corporation {{ name memberCount }} alliance {{ name }}
    affiliations {{ corporation {{ name }} alliance {{ name }} }} {LISTS} {FIGURES}"""
CORPORATION_FIELDS = f"""memberCount taxRate ceo {{ name }} creator {{ name }} alliance {{ name }}
    affiliations {{ alliance {{ name }} }} snapshots {{ day }}
    members {{ nodes {{ name birthday }} }} {LISTS} {FIGURES}"""
ALLIANCE_FIELDS = f"""memberCount executor {{ name }} creator {{ name }} snapshots {{ day }}
    members {{ nodes {{ name memberCount }} }} {LISTS} {FIGURES}"""
MANY = "query($ids: [ID64!]!) {{ {field}(ids: $ids) {{ {fields} }} }}"


class Recording(RecordingDatabase):
    """Leaves out what the driver asks about types, once a connection: a second query may meet a new connection."""

    def own(self) -> list[tuple[str, tuple[Any, ...]]]:
        """Return the statements of the product."""
        others = ("typeinfo_tree", "set_config('jit'", "static_change")  # asyncpg's, and what the API watches beside
        return [one for one in self.statements if not any(words in one[0] for words in others)]

    async def count(self, api: GraphQL, query: str, variables: dict[str, Any]) -> int:
        """Return how many statements the query takes."""
        await super().count(api, query, variables)
        return len(self.own())


@pytest.fixture
def recording(database: Database) -> Recording:
    """Return the test's database, noting statements."""
    return Recording(database)


@pytest.fixture
async def api(settings: Settings, recording: Recording) -> AsyncIterator[GraphQL]:
    """Yield a client of an API whose statements are noted."""
    async with serving(create_app(without_limits(settings), recording)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


@pytest.fixture(autouse=True)
async def _filled(database: Database, writer: KillmailWriter) -> None:
    """Store a hundred killmails, and everybody on them with corporations, alliances, periods and snapshots."""
    await store_many(writer, database, 100)
    async with database.transaction() as connection:
        await connection.execute(_EVERYBODY)


_EVERYBODY = f"""
insert into character (character_id, name, corporation_id, alliance_id, birthday)
  select {PILOT} + n, 'P' || n, {CORPORATION} + n, {ALLIANCE}, now() from generate_series(0, 99) n
  on conflict do nothing;
insert into corporation (corporation_id, name, ticker, ceo_id, creator_id, alliance_id, member_count)
  select {CORPORATION} + n, 'C' || n, 'C', {PILOT} + n, {PILOT} + n, {ALLIANCE} + n, 1 from generate_series(0, 99) n;
insert into alliance (alliance_id, name, ticker, executor_corporation_id, creator_id)
  select {ALLIANCE} + n, 'A' || n, 'A', {CORPORATION} + n, {PILOT} + n from generate_series(0, 99) n;
insert into affiliation (entity_kind, entity_id, since, corporation_id, alliance_id)
  select 1, {PILOT} + n, now(), {CORPORATION} + n, {ALLIANCE} + n from generate_series(0, 99) n;
insert into affiliation (entity_kind, entity_id, since, alliance_id)
  select 2, {CORPORATION} + n, now(), {ALLIANCE} + n from generate_series(0, 99) n;
"""


@pytest.mark.parametrize(
    ("field", "one_id", "first_id", "fields"),
    [
        # Those who both killed and lost: where a list is empty nobody is asked for names.
        ("characters", KILLER, PILOT, CHARACTER),
        ("corporations", KILLERS_CORPORATION, CORPORATION, CORPORATION_FIELDS),
        # Apart from the members' birthdays: facts that are wanted in one turn of the loop are one statement, and
        # whether two lists come to that in the same turn is chance.
        ("corporations", KILLERS_CORPORATION, CORPORATION, "ceo { name birthday }"),
        ("alliances", ALLIANCE, ALLIANCE, ALLIANCE_FIELDS),
    ],
)
async def test_a_hundred_entities_with_all_that_hangs_on_them_take_as_many_statements_as_one(
    api: GraphQL, recording: Recording, *, field: str, one_id: int, first_id: int, fields: str
) -> None:
    query = MANY.format(field=field, fields=fields)
    one = await recording.count(api, query, {"ids": [one_id]})
    statements = [statement for statement, _ in recording.own()]
    assert await recording.count(api, query, {"ids": list(range(first_id, first_id + 100))}) == one, statements


async def test_all_facts_of_a_selection_are_one_statement(api: GraphQL, recording: Recording) -> None:
    query = MANY.format(field="characters", fields="birthday gender title securityStatus refreshedAt goneAt")
    # Who was seen; their names; their facts.
    assert await recording.count(api, query, {"ids": [PILOT, PILOT + 1]}) == 3


@pytest.mark.parametrize(
    "query",
    [
        """query($first: Int!) { leaderboard(kind: CHARACTER, window: ALL_TIME, first: $first) {
            places { entity { ...on Character { name } } } } }""",
        """query($first: Int!) { mostValuableKills(window: ALL_TIME, first: $first) {
            victim { character { name } } } }""",
    ],
)
async def test_a_long_ranking_takes_as_many_statements_as_its_head(
    api: GraphQL, recording: Recording, query: str
) -> None:
    one = await recording.count(api, query, {"first": 1})
    assert await recording.count(api, query, {"first": 100}) == one


async def test_a_search_takes_one_more_statement_for_the_things_it_found_however_many(
    api: GraphQL, recording: Recording
) -> None:
    query = 'query($first: Int!) {{ search(query: "P", kinds: [CHARACTER], first: $first) {{ {fields} }} }}'
    # The beginnings alone: nothing of the static data is asked for, and a letter has no trigram.
    assert await recording.count(api, query.format(fields="name kills"), {"first": 50}) == 1
    with_entities = query.format(fields="entity { ...on Character { name } }")
    assert await recording.count(api, with_entities, {"first": 1}) == 2
    assert await recording.count(api, with_entities, {"first": 50}) == 2


async def test_the_totals_take_a_statement_for_each_part(api: GraphQL, recording: Recording) -> None:
    assert await recording.count(api, "{ stats { killmails isk iskToday } }", {}) == 1
    assert await recording.count(api, "{ stats { entities { known } hours { killmails } } }", {}) == 4
    query = '{ completeness(from: "2021-01-01", to: "2021-12-31") { day stored published } }'
    assert await recording.count(api, query, {}) == 1


async def test_none_of_it_scans_the_facts(api: GraphQL, database: Database, recording: Recording) -> None:
    async with database.transaction() as connection:
        await connection.execute(_MULTIPLY)
    async with database.connection() as connection:
        await connection.execute("analyze")
    recording.statements.clear()
    await api.data(MANY.format(field="characters", fields=CHARACTER), {"ids": [KILLER, PILOT]})
    await api.data(MANY.format(field="corporations", fields=CORPORATION_FIELDS), {"ids": [CORPORATION]})
    await api.data(MANY.format(field="alliances", fields=ALLIANCE_FIELDS), {"ids": [ALLIANCE]})
    await api.data("{ mostValuableKills { id } stats { killmails hours { killmails } } }")
    await api.data('{ search(query: "P1") { entity { __typename } } }')

    async with database.connection() as connection:
        plans: list[tuple[str, str]] = []
        for statement, arguments in recording.own():
            if not statement.lstrip().startswith(("select", "with")):
                continue  # begins and ends of transactions
            rows: list[Any] = await connection.fetch(f"explain {statement}", *arguments)
            plans.append((statement, "\n".join(row[0] for row in rows)))
    assert len(plans) > 30
    for statement, plan in plans:
        for table in ("killmail_0", "posting"):
            assert f"Seq Scan on {table} " not in f"{plan} ", f"{statement}\n{plan}"


# 20,000 killmails like the first, so that the planner has a choice.
_MULTIPLY = """
create temporary table copy on commit drop as select * from killmail where killmail_id = 1000;
insert into killmail
  select (jsonb_populate_record(copy, jsonb_build_object(
    'killmail_id', 5000 + number, 'killmail_time', copy.killmail_time - number * interval '1 second',
    'victim_character_id', 3000000 + number, 'victim_corporation_id', 4000000 + number % 500,
    'victim_alliance_id', 5000000 + number % 100))).*
    from copy, generate_series(1, 20000) as number;
insert into posting (code, day, side, killmail_ids, killmails, isk_cents, npc_isk_cents, max_isk_cents, points,
    max_points, solo, npc, final_blows)
  select (6000000 + number)::bigint << 4 | 1, date '2021-12-02', 0, '\\x0101', 1, 1, 0, 1, 1, 1, 0, 0, 0
    from generate_series(1, 20000) as number;
"""
