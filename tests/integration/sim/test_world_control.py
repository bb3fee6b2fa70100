"""People who move, are renamed or are gone, as ESI tells it."""

from __future__ import annotations

import pytest

from killreport.sim.world.people import World
from tests.integration.sim.conftest import Client

NEWEST = {"X-Compatibility-Date": "2026-09-14"}
WORLD = World(1)
ALLIANCE = WORLD.alliance_ids()[0]
CORPORATION = next(i for i in WORLD.alliance_corporations(ALLIANCE) if WORLD.members.get(i))
MEMBER, COLLEAGUE = WORLD.members[CORPORATION][0], WORLD.members[CORPORATION][-1]


async def change(client: Client, **changes: object) -> None:
    assert (await client.post("/control/world", changes)).status == 200


async def test_a_member_who_left_has_no_alliance_in_any_answer(client: Client) -> None:
    before = (await client.get(f"/characters/{MEMBER}")).body
    await change(client, moved={MEMBER: 1_000_169})

    after = (await client.get(f"/characters/{MEMBER}")).body
    (row,) = (await client.post("/characters/affiliation", [MEMBER])).body

    assert (before["corporation_id"], before["alliance_id"]) == (CORPORATION, ALLIANCE)
    assert after["corporation_id"] == 1_000_169
    assert "alliance_id" not in after
    assert row == {"character_id": MEMBER, "corporation_id": 1_000_169}
    assert (await client.ask("DELETE", "/control/world")).status == 200
    assert (await client.get(f"/characters/{MEMBER}")).body == before


async def test_a_corporation_that_leaves_takes_its_members_and_its_place_in_the_list_along(client: Client) -> None:
    await change(client, joined={CORPORATION: None})

    rows = (await client.post("/characters/affiliation", sorted({MEMBER, COLLEAGUE}))).body

    assert all(set(row) == {"character_id", "corporation_id"} for row in rows)
    assert "alliance_id" not in (await client.get(f"/corporations/{CORPORATION}")).body
    assert CORPORATION not in (await client.get(f"/alliances/{ALLIANCE}/corporations")).body


async def test_an_alliance_without_corporations_has_no_executor_and_is_not_listed(client: Client) -> None:
    await change(client, joined=dict.fromkeys(WORLD.alliance_corporations(ALLIANCE)))

    assert "executor_corporation_id" not in (await client.get(f"/alliances/{ALLIANCE}")).body
    assert (await client.get(f"/alliances/{ALLIANCE}/corporations")).body == []
    assert ALLIANCE not in (await client.get("/alliances")).body


async def test_a_closed_corporation_has_no_ceo_in_the_new_shape_and_a_stand_in_in_the_old(client: Client) -> None:
    await change(client, closed=[CORPORATION])

    old = (await client.get(f"/corporations/{CORPORATION}")).body
    new = (await client.get(f"/corporations/{CORPORATION}", headers=NEWEST)).body

    assert (old["ceo_id"], old["member_count"]) == (1, 0)
    assert "ceo_id" not in new
    assert new["state"] == "closed"


async def test_a_name_changes_wherever_it_is_told(client: Client) -> None:
    await change(client, renamed={MEMBER: "Somebody Else", CORPORATION: "Other Works", ALLIANCE: "The Others"})

    rows = (await client.post("/universe/names", [MEMBER, CORPORATION, ALLIANCE])).body

    assert [row["name"] for row in rows] == ["Somebody Else", "Other Works", "The Others"]
    for kind, entity_id, row in zip(
        ("characters", "corporations", "alliances"), (MEMBER, CORPORATION, ALLIANCE), rows, strict=True
    ):
        assert (await client.get(f"/{kind}/{entity_id}")).body["name"] == row["name"]


async def test_who_was_deleted_is_not_found_and_still_named(client: Client) -> None:
    await change(client, biomassed=[MEMBER])
    assert (await client.get(f"/characters/{MEMBER}")).status == 404
    assert [row["id"] for row in (await client.post("/universe/names", [MEMBER])).body] == [MEMBER]
    homes = (await client.post("/characters/affiliation", [MEMBER])).body
    assert homes == [{"character_id": MEMBER, "corporation_id": 1_000_001}]


async def test_who_is_gone_is_not_found_and_fails_every_batch(client: Client) -> None:
    await change(client, gone=[MEMBER])

    assert (await client.get(f"/characters/{MEMBER}")).status == 404
    assert (await client.post("/characters/affiliation", [COLLEAGUE, MEMBER])).status == 404
    assert (await client.post("/universe/names", [COLLEAGUE, MEMBER])).status == 404
    assert (await client.post("/characters/affiliation", [COLLEAGUE])).status == 200


async def test_a_type_that_the_static_data_lacks_can_be_new(client: Client) -> None:
    assert (await client.get("/universe/types/999999")).status == 404
    await change(client, types={999_999: {"name": "Brand New Frigate", "group_id": 25}})

    body = (await client.get("/universe/types/999999")).body

    assert (body["name"], body["group_id"], body["published"]) == ("Brand New Frigate", 25, True)
    assert body["volume"] > 0


async def test_every_alliance_lists_corporations_that_say_they_are_in_it(client: Client) -> None:
    for alliance_id in (await client.get("/alliances")).body[::200]:
        corporations = (await client.get(f"/alliances/{alliance_id}/corporations")).body
        executor = (await client.get(f"/alliances/{alliance_id}")).body["executor_corporation_id"]
        assert executor in corporations
        for corporation_id in corporations[:3]:
            assert (await client.get(f"/corporations/{corporation_id}")).body["alliance_id"] == alliance_id


@pytest.mark.parametrize("path", ["/control/world", "/control/token", "/control/static-data"])
async def test_what_cannot_be_read_is_refused(client: Client, path: str) -> None:
    assert (await client.post(path, {"nonsense": 1})).status == 400


async def test_a_new_build_of_the_static_data_is_told_and_served(client: Client) -> None:
    old = (await client.get("/static-data/tranquility/latest.jsonl")).body
    await client.post("/control/static-data", {"build_number": 9_999_999})

    new = (await client.get("/static-data/tranquility/latest.jsonl")).body

    assert b'"buildNumber":9999999' in new
    assert b'"_key":"sde"' in new
    assert old != new
