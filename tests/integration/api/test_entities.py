"""Characters, corporations, alliances and factions, with everything that hangs on them."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from killreport.api.entity import history
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import apply_affiliations, store_alliance, store_character, store_corporation
from killreport.esi.model import Affiliation, Alliance, Character, Corporation
from killreport.killmail.store import KillmailWriter
from tests.integration.kills import (
    ALLIANCE,
    CORPORATION,
    KILLER,
    KILLERS_CORPORATION,
    NOON,
    PILOT,
    arrival,
    store,
)
from tests.integration.serving import GraphQL

FOUNDED = datetime(2015, 3, 1, 10, 0, tzinfo=UTC)
LATER = NOON + timedelta(days=30)


@pytest.fixture
async def stored(database: Database) -> None:
    """Store a pilot in a corporation in an alliance, who was in an NPC corporation later; everybody knows everybody."""
    async with database.transaction() as connection:
        await store_character(
            connection,
            PILOT,
            Character(
                name="Alice",
                corporation_id=CORPORATION,
                birthday=FOUNDED,
                gender="female",
                alliance_id=ALLIANCE,
                faction_id=500001,
                security_status=-1.25,
                title="<b>Boss</b>",
                description="Hello",
            ),
            at=NOON,
        )
        await store_corporation(
            connection,
            CORPORATION,
            Corporation(
                name="Alice Co",
                ticker="ALCO",
                member_count=7,
                ceo_id=PILOT,
                creator_id=KILLER,
                tax_rate=0.1,
                alliance_id=ALLIANCE,
                date_founded=FOUNDED,
                url="https://example.org",
                description="Us",
                home_station_id=60003760,
                war_eligible=True,
            ),
            at=NOON,
        )
        await store_alliance(
            connection,
            ALLIANCE,
            Alliance(
                name="Alice Alliance",
                ticker="ALLI",
                creator_id=PILOT,
                creator_corporation_id=CORPORATION,
                date_founded=FOUNDED,
                executor_corporation_id=CORPORATION,
            ),
            at=NOON,
        )


@pytest.mark.usefixtures("stored")
async def test_a_pilot_tells_what_esi_told(api: GraphQL) -> None:
    data = await api.data(
        """query($id: ID64!) { character(id: $id) { id name kind birthday gender securityStatus title description
            corporation { id name ticker } alliance { id name ticker } faction { id name } refreshedAt goneAt } }""",
        {"id": PILOT},
    )
    assert data["character"] == {
        "id": PILOT,
        "name": "Alice",
        "kind": "CHARACTER",
        "birthday": "2015-03-01T10:00:00Z",
        "gender": "female",
        "securityStatus": -1.25,
        "title": "<b>Boss</b>",
        "description": "Hello",
        "corporation": {"id": CORPORATION, "name": "Alice Co", "ticker": "ALCO"},
        "alliance": {"id": ALLIANCE, "name": "Alice Alliance", "ticker": "ALLI"},
        "faction": {"id": 500001, "name": "Caldari State"},
        "refreshedAt": "2021-12-02T12:00:00Z",
        "goneAt": None,
    }


@pytest.mark.usefixtures("stored")
async def test_a_corporation_tells_what_esi_told(api: GraphQL) -> None:
    data = await api.data(
        """query($id: ID64!) { corporation(id: $id) { id name kind ticker memberCount ceo { name } creator { id name }
            alliance { ticker } faction { id } taxRate dateFounded url description homeStationId warEligible
            refreshedAt goneAt } }""",
        {"id": CORPORATION},
    )
    assert data["corporation"] == {
        "id": CORPORATION,
        "name": "Alice Co",
        "kind": "CORPORATION",
        "ticker": "ALCO",
        "memberCount": 7,
        "ceo": {"name": "Alice"},
        "creator": {"id": KILLER, "name": None},
        "alliance": {"ticker": "ALLI"},
        "faction": None,
        "taxRate": 0.1,
        "dateFounded": "2015-03-01T10:00:00Z",
        "url": "https://example.org",
        "description": "Us",
        "homeStationId": 60003760,
        "warEligible": True,
        "refreshedAt": "2021-12-02T12:00:00Z",
        "goneAt": None,
    }


@pytest.mark.usefixtures("stored")
async def test_an_alliance_tells_what_esi_told_and_what_was_counted(api: GraphQL, database: Database) -> None:
    query = """query($id: ID64!) { alliance(id: $id) { id name kind ticker executor { name } creator { name }
        creatorCorporation { ticker } faction { id } dateFounded memberCount corporationCount countedAt refreshedAt
        goneAt } }"""
    expected = {
        "id": ALLIANCE,
        "name": "Alice Alliance",
        "kind": "ALLIANCE",
        "ticker": "ALLI",
        "executor": {"name": "Alice Co"},
        "creator": {"name": "Alice"},
        "creatorCorporation": {"ticker": "ALCO"},
        "faction": None,
        "dateFounded": "2015-03-01T10:00:00Z",
        "memberCount": None,
        "corporationCount": None,
        "countedAt": None,
        "refreshedAt": "2021-12-02T12:00:00Z",
        "goneAt": None,
    }
    assert (await api.data(query, {"id": ALLIANCE}))["alliance"] == expected
    async with database.transaction() as connection:
        await connection.execute(
            "update alliance set member_count = 7, corporation_count = 1, counted_at = $1, gone_at = $1", NOON
        )
    counted = {"memberCount": 7, "corporationCount": 1, "countedAt": "2021-12-02T12:00:00Z"}
    assert (await api.data(query, {"id": ALLIANCE}))["alliance"] == {
        **expected,
        **counted,
        "goneAt": "2021-12-02T12:00:00Z",
    }


async def test_a_faction_and_an_npc_corporation_come_from_the_static_data(api: GraphQL) -> None:
    data = await api.data(
        """{ faction(id: 500001) { id name kind corporation { id name } militiaCorporation { id name } }
             factions(ids: [500001, 7]) { name }
             corporation(id: 1000009) { name ticker kind memberCount } }"""
    )
    assert data == {
        "faction": {
            "id": 500001,
            "name": "Caldari State",
            "kind": "FACTION",
            "corporation": {"id": 1000035, "name": "Caldari Navy"},
            "militiaCorporation": {"id": 1000180, "name": "State Protectorate"},
        },
        "factions": [{"name": "Caldari State"}, None],
        "corporation": {"name": "Caldari Provisions", "ticker": "CP", "kind": "CORPORATION", "memberCount": None},
    }


async def test_what_nobody_saw_is_null_and_what_was_only_on_a_killmail_has_no_name_yet(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    nothing = "character(id: 1) { id } corporation(id: 1) { id } alliance(id: 1) { id } faction(id: 1) { id }"
    assert await api.data(f"{{ {nothing} }}") == {
        "character": None,
        "corporation": None,
        "alliance": None,
        "faction": None,
    }
    await store(writer, database, arrival(1))
    data = await api.data(
        f"""{{ characters(ids: [{PILOT}, 1, {KILLER}, {PILOT}]) {{ id name birthday corporation {{ id }} }}
               corporations(ids: [{CORPORATION}]) {{ id name }} alliances(ids: [2, {ALLIANCE}]) {{ id name }} }}"""
    )
    bare = {"name": None, "birthday": None, "corporation": None}
    assert data == {
        "characters": [{"id": PILOT, **bare}, None, {"id": KILLER, **bare}, {"id": PILOT, **bare}],
        "corporations": [{"id": CORPORATION, "name": None}],
        "alliances": [None, {"id": ALLIANCE, "name": None}],
    }


async def test_lists_of_no_or_too_many_ids_are_refused(api: GraphQL) -> None:
    for field in ("characters", "corporations", "alliances", "factions"):
        for ids in ([], list(range(201))):
            error = await api.error(f"query($ids: [ID64!]!) {{ {field}(ids: $ids) {{ id }} }}", {"ids": ids})
            assert error["message"] == f"`ids` must be from 1 to 200 ids, not {len(ids)}."
            assert error["extensions"] == {"code": "BAD_REQUEST"}


@pytest.mark.usefixtures("stored")
async def test_entities_on_a_killmail_have_all_their_fields(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(1))
    data = await api.data(
        """{ killmail(id: 1) { victim { character { kind birthday ...on Entity { name } }
             corporation { memberCount ceo { corporation { alliance { executor { name } } } } } } } }"""
    )
    assert data["killmail"]["victim"] == {
        "character": {"kind": "CHARACTER", "birthday": "2015-03-01T10:00:00Z", "name": "Alice"},
        "corporation": {
            "memberCount": 7,
            "ceo": {"corporation": {"alliance": {"executor": {"name": "Alice Co"}}}},
        },
    }


@pytest.mark.usefixtures("stored")
async def test_affiliations_follow_each_other_to_the_present(api: GraphQL, database: Database) -> None:
    async with database.transaction() as connection:
        moved = [Affiliation(character_id=PILOT, corporation_id=1000009)]
        assert await apply_affiliations(connection, moved, at=LATER) == [PILOT]
    data = await api.data(
        f"""{{ character(id: {PILOT}) {{ affiliations {{ since until corporation {{ name }} alliance {{ name }} }} }}
               corporation(id: {CORPORATION}) {{ affiliations {{ since until corporation {{ id }}
               alliance {{ ticker }} }} }} }}"""
    )
    assert data == {
        "character": {
            "affiliations": [
                {
                    "since": "2021-12-02T12:00:00Z",
                    "until": "2022-01-01T12:00:00Z",
                    "corporation": {"name": "Alice Co"},
                    "alliance": {"name": "Alice Alliance"},
                },
                {
                    "since": "2022-01-01T12:00:00Z",
                    "until": None,
                    "corporation": {"name": "Caldari Provisions"},
                    "alliance": None,
                },
            ]
        },
        "corporation": {
            "affiliations": [
                {"since": "2021-12-02T12:00:00Z", "until": None, "corporation": None, "alliance": {"ticker": "ALLI"}}
            ]
        },
    }


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
        ({"after": "nonsense"}, "BAD_CURSOR", "`after` or `before` is not a cursor of this list"),
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
