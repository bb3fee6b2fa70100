"""Ids of 64 bits, everywhere: in the database, through the decoder, in GraphQL, in REST and on the site."""

from __future__ import annotations

from collections import Counter
from typing import Any
from urllib.parse import quote

import aiohttp
import pytest
from graphql import (
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_leaf_type,
    parse,
    validate,
)

from killreport.answering import Answering
from killreport.api.app import create_app as create_api
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.db.database import Database
from killreport.errors import Malformed
from killreport.ids import MAX_ENTITY_ID, MAX_ID
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import NOON, arrival, store
from tests.integration.serving import GraphQL, serving
from tests.security.walking import Step, plain, walk

WIDE = (2**31 - 1, 2**31, 2**32, 2**53 - 1, 2**53, 2**53 + 1, 2**59, MAX_ID)
LIST = "{ killmails(first: 50) { nodes { id victim { shipType { id name } } } } }"


def shown(number: int) -> int | str:
    """Return the id as GraphQL writes it."""
    return number if number <= 2**53 else str(number)


async def test_killmails_of_any_id_are_on_the_front_page_in_lists_and_found(
    api: Answering, site: Answering, database: Database, writer: KillmailWriter
) -> None:
    await store(writer, database, *(arrival(number, NOON) for number in WIDE))

    asked = [Step("/graphql?query=" + quote(LIST)), *(Step(f"/api/killID/{number}/") for number in WIDE)]
    (_, listed), *single = await walk(api, asked)
    said: Any = plain(listed)
    assert "errors" not in said
    assert {shown(number) for number in WIDE} <= {row["id"] for row in said["data"]["killmails"]["nodes"]}
    assert [plain(answer)[0]["killmail_id"] for _, answer in single] == list(WIDE)  # type: ignore[index]

    (_, home), *pages = await walk(site, [Step("/"), *(Step(f"/kill/{number}") for number in WIDE)])
    assert home.status == 200
    assert all(f'href="/kill/{number}"'.encode() in home.body for number in WIDE)
    assert [answer.status for _, answer in pages] == [200] * len(WIDE)


async def test_everything_a_killmail_names_may_be_as_wide(
    api: Answering, site: Answering, database: Database, writer: KillmailWriter
) -> None:
    wide = MAX_ENTITY_ID
    mail = arrival(
        5, NOON, ship_type_id=wide, character_id=wide, corporation_id=wide, alliance_id=wide, faction_id=wide,
        items=[{"item_type_id": wide, "flag": 5, "singleton": 0, "quantity_destroyed": 1}],
    )  # fmt: skip
    await store(writer, database, mail)
    query = """{ killmails(filter: {shipType: [%d], item: [%d], victimFaction: [%d]}) { nodes { id
        victim { shipType { id } character { id } faction { id } } items { type { id } } } } }"""
    ((_, answer),) = await walk(api, [Step("/graphql?query=" + quote(query % (wide, wide, wide)))])
    said: Any = plain(answer)
    assert "errors" not in said
    (row,) = said["data"]["killmails"]["nodes"]
    assert row["victim"] == {key: {"id": str(wide)} for key in ("shipType", "character", "faction")}
    assert row["items"] == [{"type": {"id": str(wide)}}]
    for _, page in await walk(site, [Step("/"), Step("/kill/5")]):
        assert page.status == 200


@pytest.mark.parametrize("number", [0, -1, MAX_ID + 1, 2**64, 10**30])
def test_the_decoder_takes_no_other_killmail_ids(number: int) -> None:
    with pytest.raises(Malformed) as refused:
        arrival(number)
    assert "killmail_id" in refused.value.path


@pytest.mark.parametrize("key", ["ship_type_id", "character_id", "corporation_id", "alliance_id", "faction_id"])
def test_the_decoder_takes_no_party_beyond_what_its_code_can_hold(key: str) -> None:
    with pytest.raises(Malformed) as refused:
        arrival(1, NOON, **{key: MAX_ENTITY_ID + 1})
    assert key in refused.value.path


async def test_every_id_in_the_database_is_a_bigint(database: Database) -> None:
    async with database.connection() as connection:
        narrow = await connection.fetch(
            """select table_name || '.' || column_name from information_schema.columns
               where table_schema = 'public' and column_name like '%\\_id' and data_type <> 'bigint'
                 and column_name not in ('consumer_id', 'wormhole_class_id')"""
        )
    assert [row[0] for row in narrow] == []


def test_every_id_of_the_schema_is_of_one_type() -> None:
    schema = build_schema()
    found: dict[str, set[str]] = {}
    for kind in schema.type_map.values():
        if isinstance(kind, GraphQLObjectType) and not kind.name.startswith("__"):
            for name, field in kind.fields.items():
                if name == "id":
                    found.setdefault(str(field.type), set()).add(kind.name)
                for argument, given in field.args.items():
                    if argument in ("id", "ids"):
                        found.setdefault(get_named_type(given.type).name, set()).add(f"{kind.name}.{name}({argument})")
    others = {name: places for name, places in found.items() if name not in ("ID64", "ID64!")}
    assert {place for places in others.values() for place in places} <= OPAQUE


# Messages given up have names of the broker's; a node's id has its kind in it.
OPAQUE = {"DeadLetter", "Mutation.retryDeadLetters(ids)", "Mutation.purgeDeadLetters(ids)", "Query.node(id)"}


# Where several kinds of entities stand in one place: rankings, top lists, what a search found, `node`.
@pytest.mark.parametrize(
    ("abstract", "around"),
    [("NamedEntity", 'search(query: "a") { entity { %s } }'), ("Node", 'node(id: "Type:587") { %s }')],
)
def test_what_any_two_things_have_can_be_asked_in_one_document(abstract: str, around: str) -> None:
    schema = build_schema()
    kind = schema.type_map[abstract]
    assert isinstance(kind, GraphQLUnionType | GraphQLInterfaceType)
    entities = schema.get_possible_types(kind)
    leaves = [
        (f"... on {entity} {{ {name} }}", name)
        for entity in entities
        for name, field in entity.fields.items()
        if is_leaf_type(get_named_type(field.type)) and not field.args
    ]
    shared = Counter(name for _, name in leaves)
    parts = [part for part, name in leaves if shared[name] > 1]
    assert len(entities) > 5
    assert shared["id"] == shared["nodeId"] == len(entities)
    assert shared["name"] > 5
    assert validate(schema, parse("{ " + around % " ".join(parts) + " }")) == []


async def test_a_document_that_declares_an_int_for_an_id_still_runs(api: Answering) -> None:
    for query in (
        "query($id: Int!) { killmail(id: $id) { id } }",
        "query($id: Int = 1001) { killmail(id: $id) { id } }",
        "query($id: [Int!]!) { types(ids: $id) { id } }",
    ):
        variables = '{"id":1001}' if "[" not in query else '{"id":[587]}'
        ((_, answer),) = await walk(api, [Step(f"/graphql?query={quote(query)}&variables={variables}")])
        assert "errors" not in str(plain(answer)), answer
    bad = quote("query($id: Int!) { killmails(first: $id, filter: {character: [$id]}) { nodes { id } } }")
    ((_, answer),) = await walk(api, [Step(f'/graphql?query={bad}&variables={{"id":1}}')])
    assert "used in position expecting type" in str(plain(answer))


async def test_a_row_that_cannot_be_told_nulls_itself_and_no_other(
    settings: Settings, database: Database, kills: None, site: Answering
) -> None:
    async with database.transaction() as connection:
        # The analysts' views hold the column's type.
        await connection.execute("drop schema analysis cascade")
        await connection.execute("alter table killmail alter attacker_count type bigint")
        await connection.execute("update killmail set attacker_count = 2147483648 where killmail_id = 1002")
    async with serving(create_api(settings, database)) as address, aiohttp.ClientSession() as session:
        answer = await GraphQL(session, address).ask("{ killmails { nodes { id attackerCount } } }")
    assert [row and row["id"] for row in answer["data"]["killmails"]["nodes"]] == [1003, None, 1001]
    (error,) = answer["errors"]
    assert error["path"] == ["killmails", "nodes", 1, "attackerCount"]
    assert error["extensions"]["code"] == "INTERNAL"
