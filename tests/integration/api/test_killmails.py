"""The list of killmails and one killmail, over HTTP."""

from __future__ import annotations

from datetime import timedelta

from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import (
    CONTAINER,
    CORPORATION,
    DAMAGE_CONTROL,
    JITA,
    KILLER,
    NOON,
    PILOT,
    RIFTER,
    TRITANIUM,
    arrival,
    name_everybody,
    store,
    store_many,
)
from tests.integration.packed_rows import change_prices
from tests.integration.serving import GraphQL

PAGE = "query($first: Int!, $after: String) { killmails(first: $first, after: $after) { nodes { id } \
pageInfo { hasNextPage endCursor } } }"


async def test_kills_come_newest_first_and_of_one_second_the_larger_id_first(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    later = NOON + timedelta(seconds=1)
    await store(writer, database, arrival(7, NOON), arrival(9, NOON), arrival(8, NOON), arrival(3, later))

    data = await api.data("{ killmails { nodes { id time } } }")

    assert [(node["id"], node["time"]) for node in data["killmails"]["nodes"]] == [
        (3, "2021-12-02T12:00:01Z"),
        (9, "2021-12-02T12:00:00Z"),
        (8, "2021-12-02T12:00:00Z"),
        (7, "2021-12-02T12:00:00Z"),
    ]


async def test_paging_by_cursor_visits_every_kill_once(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, *(arrival(100 + number, NOON) for number in range(23)))

    seen, after, more = [], None, True
    while more:
        page = (await api.data(PAGE, {"first": 10, "after": after}))["killmails"]
        seen.append([node["id"] for node in page["nodes"]])
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]

    assert [len(page) for page in seen] == [10, 10, 3]
    assert [found for page in seen for found in page] == list(range(122, 99, -1))


async def test_a_page_that_is_exactly_full_and_last_has_no_next(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 10)
    assert (await api.data(PAGE, {"first": 10}))["killmails"]["pageInfo"]["hasNextPage"] is False
    assert (await api.data(PAGE, {"first": 9}))["killmails"]["pageInfo"]["hasNextPage"] is True


async def test_an_empty_database_is_an_empty_page(api: GraphQL) -> None:
    assert await api.data(PAGE, {"first": 50}) == {
        "killmails": {"nodes": [], "pageInfo": {"hasNextPage": False, "endCursor": None}}
    }


async def test_a_row_s_own_cursor_leads_to_what_follows_it(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store_many(writer, database, 3)
    nodes = (await api.data("{ killmails { nodes { cursor } } }"))["killmails"]["nodes"]
    page = await api.data(PAGE, {"first": 5, "after": nodes[0]["cursor"]})
    assert [node["id"] for node in page["killmails"]["nodes"]] == [1001, 1000]


async def test_page_sizes_outside_1_to_200_are_refused(api: GraphQL) -> None:
    for size in (0, -1, 201):
        error = await api.error(PAGE, {"first": size})
        assert error["message"] == f"`first` must be from 1 to 200, not {size}."
        assert error["extensions"] == {"code": "BAD_REQUEST"}


async def test_a_cursor_nobody_gave_out_is_refused_in_a_sentence(api: GraphQL) -> None:
    error = await api.error(PAGE, {"first": 5, "after": "bm9uc2Vuc2U"})
    assert error["extensions"] == {"code": "BAD_CURSOR"}
    assert error["message"].startswith("`after` is not a cursor of this list")


async def test_a_killmail_that_is_not_stored_is_null(api: GraphQL) -> None:
    assert await api.data("{ killmail(id: 2147483647) { id } }") == {"killmail": None}


async def test_a_killmail_tells_who_what_where_and_worth(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(77, attackers=2))
    await name_everybody(database)

    kill = (
        await api.data(
            """{ killmail(id: 77) {
            id time attackerCount playerCount solo npc awox warId points labels
            solarSystem { id name security spaceClass constellation { name } region { id name } }
            victim { character { id name } corporation { id name ticker } alliance { id name ticker } faction { id }
              shipType { id name group { id name category { id name } } } damageTaken position { x y z } }
            finalBlow { character { id name } corporation { id name } shipType { name } weaponType { id } }
            attackers { ordinal character { id } damageDone finalBlow securityStatus shipType { id } }
            links { zkillboard esi } hash } }"""
        )
    )["killmail"]

    assert kill["id"] == 77
    assert kill["time"] == "2021-12-02T12:00:00Z"
    assert (kill["attackerCount"], kill["playerCount"]) == (2, 2)
    assert (kill["solo"], kill["npc"], kill["awox"], kill["warId"]) == (False, False, False, None)
    assert kill["solarSystem"] == {
        "id": JITA,
        "name": "Jita",
        "security": 0.9,
        "spaceClass": "highsec",
        "constellation": {"name": "Kimotoro"},
        "region": {"id": 10000002, "name": "The Forge"},
    }
    assert kill["victim"] == {
        "character": {"id": PILOT, "name": "Alice"},
        "corporation": {"id": CORPORATION, "name": "Alice Co", "ticker": "ALCO"},
        "alliance": {"id": 99000001, "name": "Alice Alliance", "ticker": "ALLI"},
        "faction": None,
        "shipType": {
            "id": RIFTER,
            "name": "Rifter",
            "group": {"id": 25, "name": "Frigate", "category": {"id": 6, "name": "Ship"}},
        },
        "damageTaken": 1234,
        "position": {"x": 1.0, "y": -2.0, "z": 3.5},
    }
    assert kill["finalBlow"] == {
        "character": {"id": KILLER, "name": None},
        "corporation": {"id": 98000099, "name": None},
        "shipType": {"name": "Rifter"},
        "weaponType": {"id": RIFTER},
    }
    assert kill["attackers"] == [
        {
            "ordinal": number,
            "character": {"id": KILLER + number},
            "damageDone": 1000 - number,
            "finalBlow": number == 0,
            "securityStatus": -1.5,
            "shipType": {"id": RIFTER},
        }
        for number in range(2)
    ]
    assert kill["links"] == {
        "zkillboard": "https://zkillboard.com/kill/77/",
        "esi": f"https://esi.evetech.net/killmails/77/{kill['hash']}/",
    }
    assert len(kill["hash"]) == 40


async def test_npc_corporations_are_named_from_the_static_data(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(5, corporation_id=1000009, alliance_id=None, faction_id=500001))
    data = await api.data(
        "{ killmail(id: 5) { victim { corporation { name ticker } alliance { id } faction { id name } } } }"
    )
    assert data["killmail"]["victim"] == {
        "corporation": {"name": "Caldari Provisions", "ticker": "CP"},
        "alliance": None,
        "faction": {"id": 500001, "name": "Caldari State"},
    }


async def test_contents_hang_below_their_container_and_money_is_exact(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    inside = {"item_type_id": TRITANIUM, "flag": 5, "singleton": 0, "quantity_dropped": 3}
    await store(
        writer,
        database,
        arrival(
            6,
            items=[
                {"item_type_id": CONTAINER, "flag": 5, "singleton": 1, "quantity_destroyed": 1, "items": [inside]},
                {"item_type_id": DAMAGE_CONTROL, "flag": 12, "singleton": 0, "quantity_dropped": 1},
            ],
        ),
    )
    async with database.transaction() as connection:
        await change_prices(connection, lambda row: (499, 20) if row.ordinal == 1 else None)
        await connection.execute("update killmail set total_value_cents = 123456789012345")

    data = await api.data(
        """{ killmail(id: 6) { values { total } items { ...I items { ...I items { type { id } } } } } }
        fragment I on Item { type { id } flag flagName slot slotName quantityDropped quantityDestroyed singleton }"""
    )
    prices = await api.data("{ killmail(id: 6) { items { items { unitPrice priceRule priceExplanation } } } }")

    assert data["killmail"]["values"] == {"total": "1234567890123.45"}
    container, control = data["killmail"]["items"]
    assert (container["type"]["id"], container["flagName"], container["slot"]) == (CONTAINER, "Cargo", "cargo")
    assert [(item["type"]["id"], item["quantityDropped"], item["items"]) for item in container["items"]] == [
        (TRITANIUM, 3, [])
    ]
    assert (control["flagName"], control["slot"], control["slotName"]) == ("Low slot 2", "low", "Low slots")
    assert prices["killmail"]["items"][0]["items"] == [
        {
            "unitPrice": "4.99",
            "priceRule": "REFERENCE_MARKET",
            "priceExplanation": "One observed daily average in Jita; no market day is stored from as near to the day.",
        }
    ]


async def test_four_thousand_attackers_are_one_answer(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(8, attackers=4000))
    data = await api.data(
        "{ killmail(id: 8) { attackerCount attackers { character { id name } shipType { name } damageDone } } }"
    )
    attackers = data["killmail"]["attackers"]
    assert data["killmail"]["attackerCount"] == 4000
    assert [found["character"]["id"] for found in attackers] == [KILLER + number for number in range(4000)]


async def test_status_counts_what_is_stored(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    query = "{ status { killmailCount lastStoredAt feedSequence feedUpdatedAt } }"
    assert await api.data(query) == {
        "status": {"killmailCount": 0, "lastStoredAt": None, "feedSequence": None, "feedUpdatedAt": None}
    }
    await store_many(writer, database, 3)
    async with database.transaction() as connection:
        await connection.execute("insert into feed_cursor (feed, next_sequence) values ('r2z2', 96000001)")
    status = (await api.data(query))["status"]
    assert (status["killmailCount"], status["feedSequence"]) == (3, 96000000)
    assert status["lastStoredAt"] is not None
