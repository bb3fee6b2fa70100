"""What a killmail has beyond its row: attackers by the page, fitting, prices, reasons, neighbours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import timedelta

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.api.killmail import relatives
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.recording import RecordingDatabase, without_limits
from tests.integration.kills import (
    CONTAINER,
    DAMAGE_CONTROL,
    JITA,
    KILLER,
    NOON,
    NOVA,
    RIFTER,
    TRITANIUM,
    arrival,
    name_everybody,
    store,
    store_many,
)
from tests.integration.packed_rows import change_attackers
from tests.integration.serving import GraphQL, serving

LAUNCHER = 499  # Light Missile Launcher I
ITEMS = [
    {"item_type_id": LAUNCHER, "flag": 27, "singleton": 0, "quantity_destroyed": 1},
    {"item_type_id": NOVA, "flag": 27, "singleton": 0, "quantity_destroyed": 20},
    {"item_type_id": DAMAGE_CONTROL, "flag": 11, "singleton": 0, "quantity_dropped": 1},
    {
        "item_type_id": CONTAINER, "flag": 5, "singleton": 0, "quantity_destroyed": 1,
        "items": [{"item_type_id": TRITANIUM, "flag": 5, "singleton": 0, "quantity_destroyed": 100}],
    },
]  # fmt: skip
EDGES = (
    "attackersPage(first: 2) { nodes { character { name } } pageInfo { endCursor } totalCount }",
    "topDamage { character { name } shipType { name } }",
    "fitting { sections { slots { module { type { name } } charges { type { name } } } } worth { total } }",
    "eft",
    "valuation { hull { unitPrice } lines { type { name } priceRule } sections { worth { total } } total }",
    "pointsFactors { danger points }",
    "labelEvidence { label evidence }",
    "related(first: 2) { nodes { id victim { character { name } } } totalCount }",
    "related(first: 2) { nodes { attackers { character { name } } items { type { name } } } }",
    "attackers { character { name } }",
    "items { type { name } }",
    "eft fitting { worth { total } } valuation { total } items { flag }",
)


@pytest.fixture
def recording(database: Database) -> RecordingDatabase:
    """Return the test's database, noting statements."""
    return RecordingDatabase(database)


@pytest.fixture
async def api(settings: Settings, recording: RecordingDatabase) -> AsyncIterator[GraphQL]:
    """Yield a client of an API whose statements are noted."""
    async with serving(create_app(without_limits(settings), recording)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)


def cents(text: str) -> int:
    """Return an amount in hundredths."""
    return int(text.replace(".", ""))


async def test_every_edge_takes_as_many_statements_for_a_hundred_kills_as_for_one(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store_many(writer, database, 100)
    for order in ("NEWEST", "MOST_VALUABLE", "MOST_POINTS"):
        query = (
            'query($first: Int!) { killmails(first: $first, order: %s, filter: {from: "2021-01-01T00:00:00Z"}) { %s } }'
        )
        for inner in ("nodes { id }", "totalCount", *(f"nodes {{ id {edge} }}" for edge in EDGES)):
            document = query % (order, inner)
            one = await recording.count(api, document, {"first": 1})
            assert await recording.count(api, document, {"first": 100}) == one, document
    together = "nodes { eft fitting { worth { total } } valuation { total } items { flag } }"
    assert await recording.count(api, f"{{ killmails {{ {together} }} }}", {}) == 3


async def test_attackers_come_by_the_page(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1, attackers=450))
    query = """query($first: Int!, $after: String) { killmail(id: 1) { attackersPage(first: $first, after: $after) {
        nodes { ordinal character { id } } totalCount
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""
    seen, after, sizes = [], None, []
    while True:
        page = (await api.data(query, {"first": 200, "after": after}))["killmail"]["attackersPage"]
        seen += [node["character"]["id"] for node in page["nodes"]]
        sizes.append(len(page["nodes"]))
        assert page["totalCount"] == 450
        assert page["pageInfo"]["hasPreviousPage"] is (after is not None)
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break
    assert sizes == [200, 200, 50]
    assert seen == [KILLER + number for number in range(450)]
    end = (await api.data(query, {"first": 5, "after": after}))["killmail"]["attackersPage"]
    assert end["nodes"] == []
    assert end["pageInfo"]["hasNextPage"] is False
    assert (await api.error(query, {"first": 0}))["message"] == "`first` must be from 1 to 200, not 0."
    assert (await api.error(query, {"first": 1, "after": "x"}))["extensions"] == {"code": "BAD_CURSOR"}


async def test_who_did_the_most_damage_need_not_have_struck_the_final_blow(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1, attackers=3))
    async with database.connection() as connection:
        await change_attackers(connection, lambda row: {"damage_done": 5000} if row.ordinal == 2 else {})
    data = await api.data(
        "{ killmail(id: 1) { topDamage { ordinal damageDone character { id } } finalBlow { character { id } } } }"
    )
    assert data["killmail"] == {
        "topDamage": {"ordinal": 2, "damageDone": 5000, "character": {"id": KILLER + 2}},
        "finalBlow": {"character": {"id": KILLER}},
    }
    async with database.connection() as connection:
        await change_attackers(connection, lambda _row: {"damage_done": 0})
    assert (await api.data("{ killmail(id: 1) { topDamage { ordinal } } }"))["killmail"] == {"topDamage": None}


async def test_a_fitting_has_sections_slots_charges_and_what_was_inside(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1, items=ITEMS))
    data = await api.data(
        """{ killmail(id: 1) { eft fitting { worth { total } sections { slot slotName worth { dropped destroyed total }
             slots { number flag module { type { id } } charges { type { id } quantityDestroyed } worth { total } }
             items { type { id } items { type { id } quantityDestroyed } } } }
             valuation { hull { type { id } unitPrice priceRule priceExplanation } total
               lines { type { id } slot slotName quantityDropped quantityDestroyed unitPrice priceRule worth { total } }
               sections { slot slotName worth { total } } } values { ship total } } }"""
    )
    killmail = data["killmail"]
    sections = {section["slot"]: section for section in killmail["fitting"]["sections"]}
    high = sections["high"]
    assert [slot["number"] for slot in high["slots"]] == [1, 2, 3]
    assert high["slots"][0]["module"] == {"type": {"id": LAUNCHER}}
    assert high["slots"][0]["charges"] == [{"type": {"id": NOVA}, "quantityDestroyed": 20}]
    assert [slot["module"] for slot in high["slots"][1:]] == [None, None]
    assert high["slots"][0]["worth"] == {"total": high["worth"]["total"]}
    assert sections["low"]["worth"]["destroyed"] == "0.00"
    assert sections["cargo"]["items"] == [
        {"type": {"id": CONTAINER}, "items": [{"type": {"id": TRITANIUM}, "quantityDestroyed": 100}]}
    ]
    assert killmail["eft"].startswith("[Rifter, Killmail 1]\nDamage Control II\n")
    assert "Tritanium x100\n" in killmail["eft"]

    valuation = killmail["valuation"]
    assert valuation["hull"]["type"] == {"id": RIFTER}
    assert valuation["hull"]["unitPrice"] == killmail["values"]["ship"]
    assert [(line["type"]["id"], line["slot"]) for line in valuation["lines"]] == [
        (DAMAGE_CONTROL, "low"), (LAUNCHER, "high"), (NOVA, "high"), (CONTAINER, "cargo"), (TRITANIUM, "cargo"),
    ]  # fmt: skip
    for line in valuation["lines"]:
        quantity = line["quantityDropped"] + line["quantityDestroyed"]
        assert cents(line["worth"]["total"]) == quantity * cents(line["unitPrice"])
    assert sum(cents(line["worth"]["total"]) for line in valuation["lines"]) == sum(
        cents(section["worth"]["total"]) for section in valuation["sections"]
    )
    assert cents(valuation["total"]) == cents(valuation["hull"]["unitPrice"]) + cents(
        killmail["fitting"]["worth"]["total"]
    )
    assert valuation["total"] == killmail["values"]["total"]


async def test_points_and_labels_are_explained(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1, attackers=2))
    data = await api.data(
        """{ killmail(id: 1) { points labels labelEvidence { label evidence } pointsFactors { victimClass base danger
             rate
             raw characters crowd averageHull sizeFactor onlyOneBecause points } } }"""
    )
    killmail = data["killmail"]
    assert killmail["pointsFactors"] == {
        "victimClass": 1, "base": 5, "danger": 0, "rate": 0.01, "raw": 0.05, "characters": 2, "crowd": 2.0,
        "averageHull": 5.0, "sizeFactor": 1.0, "onlyOneBecause": None, "points": killmail["points"],
    }  # fmt: skip
    evidence = {entry["label"]: entry["evidence"] for entry in killmail["labelEvidence"]}
    assert list(evidence) == killmail["labels"]
    assert evidence["loc:highsec"] == "Jita in The Forge has security 0.9 (0.9459)."


async def test_what_died_around_a_killmail_is_related_to_it(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await name_everybody(database)
    minutes = {1: -61, 2: -60, 3: 0, 4: 30, 5: 119, 6: 120}
    await store(writer, database, *(arrival(one, NOON + timedelta(minutes=at)) for one, at in minutes.items()))
    query = """query($after: String, $first: Int!) { killmails(filter: {from: "2021-12-02T12:00:00Z",
        to: "2021-12-02T12:31:00Z"}) { nodes { id related(first: $first, after: $after) {
        nodes { id victim { character { name } } } totalCount
        pageInfo { hasNextPage hasPreviousPage endCursor } } } } }"""
    nodes = (await api.data(query, {"first": 10}))["killmails"]["nodes"]
    assert {node["id"]: [one["id"] for one in node["related"]["nodes"]] for node in nodes} == {
        3: [2, 3, 4, 5],
        4: [3, 4, 5, 6],
    }
    assert nodes[0]["related"]["nodes"][0]["victim"] == {"character": {"name": "Alice"}}
    assert [node["related"]["totalCount"] for node in nodes] == [4, 4]
    page = (await api.data(query, {"first": 3}))["killmails"]["nodes"][1]["related"]
    assert ([one["id"] for one in page["nodes"]], page["pageInfo"]["hasNextPage"]) == ([2, 3, 4], True)
    rest = (await api.data(query, {"first": 3, "after": page["pageInfo"]["endCursor"]}))["killmails"]["nodes"][1]
    assert [one["id"] for one in rest["related"]["nodes"]] == [5]
    # Each killmail says it, and is null for itself.
    refused = await api.ask(query, {"first": 201})
    assert refused["data"]["killmails"]["nodes"] == [None, None]
    assert {error["message"] for error in refused["errors"]} == {"`first` must be from 1 to 200, not 201."}


async def test_neighbours_of_neighbours_are_bounded(
    api: GraphQL, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await store_many(writer, database, 4)
    monkeypatch.setattr(relatives, "MAX_RELATED_AT_ONCE", 8)
    query = """query($first: Int!) { killmails { nodes { related(first: $first) { nodes {
        related(first: $first) { nodes { id } } } } } } }"""
    nodes = (await api.data(query, {"first": 2}))["killmails"]["nodes"]
    inner = [[one["id"] for one in node["related"]["nodes"]] for node in nodes[0]["related"]["nodes"]]
    assert inner == [[1000, 1001], [1000, 1001]]
    errors = (await api.ask(query, {"first": 3}))["errors"]
    assert {error["message"] for error in errors} == {
        "`related` of 4 killmails with `first` 3 may be 12 killmails; at most 8 may be asked for at once."
    }


async def test_a_killmail_that_is_not_stored_is_null(api: GraphQL) -> None:
    assert await api.data("{ killmail(id: 5) { eft related { nodes { id } } } }") == {"killmail": None}


async def test_no_new_edge_scans_the_facts(
    api: GraphQL, writer: KillmailWriter, database: Database, recording: RecordingDatabase
) -> None:
    await store(writer, database, arrival(1000), arrival(1001, NOON + timedelta(minutes=5)))
    async with database.transaction() as connection:
        await connection.execute(_MULTIPLY)
    async with database.connection() as connection:
        await connection.execute("analyze killmail")
    recording.statements.clear()
    await api.data(f"{{ killmails(first: 5) {{ nodes {{ {' '.join(EDGES[:8])} }} }} }}")
    assert recording.statements
    async with database.connection() as connection:
        for statement, arguments in list(recording.statements):
            plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}", *arguments))
            assert "Seq Scan on killmail " not in f"{plan} ", f"{statement}\n{plan}"


_MULTIPLY = f"""
create temporary table copy on commit drop as select * from killmail where killmail_id = 1000;
insert into killmail
  select (jsonb_populate_record(copy, jsonb_build_object(
    'killmail_id', 5000 + number, 'solar_system_id', {JITA} + number % 50,
    'killmail_time', copy.killmail_time - number * interval '1 minute'))).*
    from copy, generate_series(1, 20000) as number;
"""
