"""Ids among all entities of all kinds, and reading what they name."""

from __future__ import annotations

import pytest

from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL

NODE = "query ($id: ID!) { node(id: $id) { __typename id nodeId } }"
KINDS = {
    "Type": "type(id: 587)",
    "Group": "group(id: 25)",
    "Category": "category(id: 6)",
    "SolarSystem": "system(id: 30000142)",
    "Constellation": "constellation(id: 20000020)",
    "Region": "region(id: 10000002)",
    "Faction": "faction(id: 500001)",
}


@pytest.fixture
async def _stored(writer: KillmailWriter, database: Database) -> None:
    """Store a killmail."""
    await store(writer, database, arrival(7))


@pytest.mark.parametrize("kind", KINDS)
async def test_static_data_is_read_by_its_id_with_its_kind(api: GraphQL, kind: str) -> None:
    known = (await api.data(f"{{ it: {KINDS[kind]} {{ __typename id nodeId name }} }}"))["it"]
    assert known["__typename"] == kind
    query = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind} {{ name }} __typename id nodeId }} }}"
    again = await api.data(query, {"id": known["nodeId"]})
    assert again["node"] == known


@pytest.mark.usefixtures("_stored")
async def test_everybody_on_a_killmail_and_itself_are_read_by_their_ids(api: GraphQL) -> None:
    fields = "__typename id nodeId"
    found = await api.data(
        f"{{ killmail(id: 7) {{ {fields} solarSystem {{ {fields} constellation {{ {fields} }} region {{ {fields} }} }}"
        f" victim {{ shipType {{ {fields} group {{ {fields} category {{ {fields} }} }} }} character {{ {fields} }}"
        f" corporation {{ {fields} }} alliance {{ {fields} }} }} }} }}"
    )
    mail = found["killmail"]
    victim, system = mail["victim"], mail["solarSystem"]
    group = victim["shipType"]["group"]
    entities = [mail, system, system["constellation"], system["region"], victim["shipType"], group, group["category"]]
    entities += [entity for name in ("character", "corporation", "alliance") if (entity := victim[name])]
    assert len({entity["nodeId"] for entity in entities}) == len(entities) >= 9
    for entity in entities:
        plain = {name: entity[name] for name in ("__typename", "id", "nodeId")}
        assert (await api.data(NODE, {"id": entity["nodeId"]}))["node"] == plain


@pytest.mark.usefixtures("_stored")
async def test_a_killmail_read_as_a_node_has_all_its_parts(api: GraphQL) -> None:
    parts = "attackers { damageDone character { id name } } items { flag } points pointsFactors { base } eft"
    direct = await api.data(f"{{ killmail(id: 7) {{ {parts} }} }}")
    query = f'{{ node(id: "Killmail:7") {{ ... on Killmail {{ ...P }} }} }} fragment P on Killmail {{ {parts} }}'
    as_node = await api.data(query)
    assert as_node["node"] == direct["killmail"]
    assert direct["killmail"]["attackers"]


UNKNOWN = """
    Killmail:1 Character:1 Corporation:1 Alliance:1 Faction:1 Type:9000000 Group:9000000 Category:9000000 SolarSystem:1
    Constellation:1 Region:1 Character:9223372036854775807
"""
ODD = ("", "587", "Type", "Type:", ":587", "Type:0587", "Type:-1", "Type:587 ", " Type:587", "type:587", "Type:587:1")
ODDER = (f"Type:{2**63}", "Type:" + "9" * 5_000, "Type:५८७", "JobRun:1", "Query:1", "Thing:587")


@pytest.mark.parametrize("node_id", UNKNOWN.split())
async def test_of_what_is_not_known_there_is_nothing(api: GraphQL, node_id: str) -> None:
    assert await api.data(NODE, {"id": node_id}) == {"node": None}


@pytest.mark.parametrize("node_id", ODD + ODDER)
async def test_what_is_no_such_id_is_refused_with_a_sentence(api: GraphQL, node_id: str) -> None:
    error = await api.error(NODE, {"id": node_id})
    assert error["extensions"] == {"code": "BAD_REQUEST"}
    assert error["message"].startswith("`id` must be")
    assert len(error["message"]) < 200


async def test_a_number_alone_is_told_what_is_missing(api: GraphQL) -> None:
    error = await api.error("{ node(id: 587) { id } }")
    assert "a number alone tells no kind" in error["message"]
