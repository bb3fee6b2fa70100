"""Characters, corporations, alliances and factions, with everything that hangs on them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import apply_affiliations, store_entity
from killreport.esi.model import EsiAffiliation, EsiAlliance, EsiCharacter, EsiCorporation
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import (
    ALLIANCE,
    CORPORATION,
    KILLER,
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
        await store_entity(
            EntityKind.CHARACTER,
            connection,
            PILOT,
            EsiCharacter(
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
        await store_entity(
            EntityKind.CORPORATION,
            connection,
            CORPORATION,
            EsiCorporation(
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
        await store_entity(
            EntityKind.ALLIANCE,
            connection,
            ALLIANCE,
            EsiAlliance(
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
        moved = [EsiAffiliation(character_id=PILOT, corporation_id=1000009)]
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
