"""Snapshots, members and killmails of entities, page by page."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from killreport.api.entity import history
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import (
    ALLIANCE,
    KILLER,
    KILLERS_CORPORATION,
    NOON,
    PILOT,
    arrival,
    store,
)
from tests.integration.serving import GraphQL


async def test_snapshots_tell_how_the_counts_changed(
    api: GraphQL, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(history, "utc_now", lambda: NOON)
    today = NOON.date()
    async with database.transaction() as connection:
        await connection.execute("insert into total_stat values ($1, 1, 1,1,1,1,1,1,1,1,1,1)", int(EntityKind.ALLIANCE))
        await connection.execute(
            "insert into total_stat values ($1, 1, 1,1,1,1,1,1,1,1,1,1)", int(EntityKind.CORPORATION)
        )
        for days, members in ((0, 10), (1, 12), (7, 4), (31, 1)):
            day = today - timedelta(days=days)
            await connection.execute(
                "insert into alliance_snapshot values (1, $1, 'A', 'A', null, $2, 3)", day, members
            )
            await connection.execute(
                "insert into corporation_snapshot values (1, $1, 'C', 'C', null, null, $2)", day, members
            )
    fields = "day memberCount corporationCount deltas { days members corporations }"
    data = await api.data(
        f"""{{ alliance(id: 1) {{ snapshots(days: 1) {{ {fields} }} }}
               corporation(id: 1) {{ snapshots(until: "{date(2021, 12, 1)}") {{ {fields} }} }} }}"""
    )
    assert data["alliance"]["snapshots"] == [
        {
            "day": "2021-12-02",
            "memberCount": 10,
            "corporationCount": 3,
            "deltas": [
                {"days": 1, "members": -2, "corporations": 0},
                {"days": 7, "members": 6, "corporations": 0},
            ],
        }
    ]
    assert [(one["day"], one["memberCount"], one["deltas"]) for one in data["corporation"]["snapshots"]] == [
        ("2021-11-25", 4, []),
        ("2021-12-01", 12, [{"days": 30, "members": 11, "corporations": None}]),
    ]
    error = await api.error("{ alliance(id: 1) { snapshots(days: 367) { day } } }")
    assert error["message"] == "`days` must be from 1 to 366, not 367."


MEMBERS = """query($id: ID64!, $first: Int, $after: String, $last: Int, $before: String) { corporation(id: $id) {
    members(first: $first, after: $after, last: $last, before: $before) { nodes { id name }
    pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""


async def test_members_are_paged_in_both_directions(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        await connection.execute("insert into corporation (corporation_id, name, ticker) values (10, 'C', 'C')")
        await connection.execute("insert into alliance (alliance_id, name, ticker) values (20, 'A', 'A')")
        await connection.execute("update corporation set alliance_id = 20")
        await connection.execute(
            """insert into character (character_id, name, corporation_id, gone_at)
               select n, 'P' || n, 10, case when n = 6 then now() end from generate_series(1, 6) n"""
        )

    async def page(**arguments: object) -> tuple[list[int], bool, bool, str, str]:
        found = (await api.data(MEMBERS, {"id": 10, **arguments}))["corporation"]["members"]
        info = found["pageInfo"]
        ids = [node["id"] for node in found["nodes"]]
        return ids, info["hasPreviousPage"], info["hasNextPage"], info["startCursor"], info["endCursor"]

    one = await page(first=2)
    two = await page(first=2, after=one[4])
    three = await page(first=2, after=two[4])
    assert [found[:3] for found in (one, two, three)] == [
        ([1, 2], False, True),
        ([3, 4], True, True),
        ([5], True, False),
    ]
    assert (await page(last=2))[:3] == ([4, 5], True, False)
    assert (await page(last=2, before=three[3]))[:3] == ([3, 4], True, True)
    assert (await page(last=3, before=two[3]))[:3] == ([1, 2], False, True)

    corporations = await api.data("{ alliance(id: 20) { members { nodes { id ticker } pageInfo { hasNextPage } } } }")
    assert corporations["alliance"]["members"] == {
        "nodes": [{"id": 10, "ticker": "C"}],
        "pageInfo": {"hasNextPage": False},
    }
    for wrong, code, says in (
        ({"first": 201}, "BAD_REQUEST", "`first` must be from 1 to 200, not 201."),
        ({"last": 0}, "BAD_REQUEST", "`last` must be from 1 to 200, not 0."),
        ({"first": 1, "last": 1}, "BAD_REQUEST", "Give `first` and `after` to read on"),
        ({"after": "nonsense"}, "BAD_CURSOR", "`after` is not a cursor of this list"),
    ):
        error = await api.error(MEMBERS, {"id": 10, **wrong})
        assert (error["extensions"]["code"], error["message"].startswith(says)) == (code, True)


async def test_kills_losses_and_killmails_of_entities_are_lists_of_their_own(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    later = [NOON + timedelta(seconds=number) for number in range(6)]
    await store(
        writer,
        database,
        *(arrival(number, later[number]) for number in range(1, 5)),
        arrival(
            5, later[5], character_id=KILLER, corporation_id=KILLERS_CORPORATION, alliance_id=None, faction_id=500001
        ),
    )
    lists = "kills { nodes { id } } losses { nodes { id } } killmails { nodes { id victim { character { id } } } }"

    def ids(entity: dict[str, dict[str, list[dict[str, int]]]]) -> list[list[int]]:
        return [[node["id"] for node in entity[name]["nodes"]] for name in ("kills", "losses", "killmails")]

    data = await api.data(
        f"""{{ characters(ids: [{PILOT}, {KILLER}]) {{ {lists} }} alliance(id: {ALLIANCE}) {{ {lists} }}
               corporation(id: {KILLERS_CORPORATION}) {{ {lists} }} faction(id: 500001) {{ {lists} }} }}"""
    )
    killer = [[5, 4, 3, 2, 1], [5], [5, 4, 3, 2, 1]]
    assert [ids(one) for one in data["characters"]] == [[[], [4, 3, 2, 1], [4, 3, 2, 1]], killer]
    assert ids(data["alliance"]) == [[], [4, 3, 2, 1], [4, 3, 2, 1]]
    assert ids(data["corporation"]) == killer
    assert ids(data["faction"]) == [[], [5], [5]]


async def test_lists_of_an_entity_are_paged_in_both_directions(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, *(arrival(number) for number in range(1, 6)))
    query = """query($id: ID64!, $first: Int, $after: String, $last: Int, $before: String) { character(id: $id) {
        killmails(first: $first, after: $after, last: $last, before: $before) { nodes { id }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor } } } }"""

    async def page(**arguments: object) -> tuple[list[int], bool, bool, str, str]:
        found = (await api.data(query, {"id": PILOT, **arguments}))["character"]["killmails"]
        info = found["pageInfo"]
        ids = [node["id"] for node in found["nodes"]]
        return ids, info["hasPreviousPage"], info["hasNextPage"], info["startCursor"], info["endCursor"]

    one = await page(first=2)
    two = await page(first=2, after=one[4])
    three = await page(first=2, after=two[4])
    assert [found[:3] for found in (one, two, three)] == [
        ([5, 4], False, True),
        ([3, 2], True, True),
        ([1], True, False),
    ]
    assert (await page(last=2))[:3] == ([2, 1], True, False)
    assert (await page(last=2, before=two[3]))[:3] == ([5, 4], False, True)


async def test_more_killmails_at_once_than_an_answer_can_hold_are_refused(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    pilots = range(1, 27)
    await store(writer, database, *(arrival(100 + id_, character_id=id_) for id_ in pilots))
    answer = await api.ask(
        "query($ids: [ID64!]!) { characters(ids: $ids) { losses(first: 200) { nodes { id } } } }", {"ids": list(pilots)}
    )
    assert answer["data"] == {"characters": [None] * 26}
    assert {(error["message"], error["extensions"]["code"]) for error in answer["errors"]} == {
        ("200 killmails of each of 26 are more than 5000: ask for fewer.", "BAD_REQUEST")
    }
