"""zKillboard's lists of killmails."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from tests.integration.sim.conftest import FIRST, Client, Clock, Running


async def published(client: Client, count: int, **options: int) -> list[dict[str, Any]]:
    """Publish mails and return their packages, oldest first."""
    head = await client.publish(count, **options)
    return [await client.package(n) for n in range(FIRST, head + 1)]


async def ids(client: Client, path: str) -> list[int]:
    """Return the ids a list holds."""
    answer = await client.get(path)
    assert answer.status == 200
    return [row["killmail_id"] for row in answer.body]


async def test_a_list_holds_full_bodies_and_the_zkb_block(client: Client) -> None:
    (package,) = await published(client, 1)

    (row,) = (await client.get(f"/api/killID/{package['killmail_id']}/")).body

    zkb = row.pop("zkb")
    assert row == package["esi"]
    assert zkb == {key: value for key, value in package["zkb"].items() if key not in {"attackerCount", "href"}}


async def test_kills_and_losses_of_everybody_are_told_apart(client: Client) -> None:
    packages = await published(client, 80)
    victim = next(p["esi"]["victim"] for p in packages if "alliance_id" in p["esi"]["victim"])

    for modifier, key in (
        ("characterID", "character_id"),
        ("corporationID", "corporation_id"),
        ("allianceID", "alliance_id"),
        ("shipTypeID", "ship_type_id"),
    ):
        value = victim[key]
        lost = [p["killmail_id"] for p in reversed(packages) if p["esi"]["victim"].get(key) == value]
        killed = [
            p["killmail_id"] for p in reversed(packages) if any(a.get(key) == value for a in p["esi"]["attackers"])
        ]
        either = sorted({*lost, *killed}, reverse=True)
        assert await ids(client, f"/api/losses/{modifier}/{value}/") == lost != []
        assert await ids(client, f"/api/{modifier}/{value}/kills/") == killed
        assert await ids(client, f"/api/{modifier}/{value}/") == either


async def test_places_and_flags_narrow_a_list(client: Client) -> None:
    packages = await published(client, 120)
    system_id = packages[5]["esi"]["solar_system_id"]
    here = [p["killmail_id"] for p in reversed(packages) if p["esi"]["solar_system_id"] == system_id]
    solo = [p["killmail_id"] for p in reversed(packages) if p["zkb"]["solo"]]
    npc = [p["killmail_id"] for p in reversed(packages) if p["zkb"]["npc"]]

    assert await ids(client, f"/api/solarSystemID/{system_id}/") == here
    assert await ids(client, "/api/solo/") == solo != []
    assert await ids(client, "/api/kills/npc/1/") == npc != []
    (row,) = (await client.get(f"/api/zkbOnly/killID/{npc[0]}/")).body
    assert set(row) == {"killmail_id", "zkb"}


async def test_pages_hold_two_hundred_and_end_with_an_empty_one(client: Client) -> None:
    packages = await published(client, 450)

    pages = [await ids(client, f"/api/kills/page/{page}/") for page in (1, 2, 3, 4)]

    assert [len(page) for page in pages] == [200, 200, 50, 0]
    assert list(itertools.chain(*pages)) == [p["killmail_id"] for p in reversed(packages)]


async def test_past_seconds_looks_back_so_far(client: Client, clock: Clock) -> None:
    await client.publish(10, published_at=int(clock.now) - 20_000)
    await client.publish(5)

    assert len(await ids(client, "/api/kills/pastSeconds/3600/")) == 5
    assert len(await ids(client, "/api/kills/pastSeconds/86400/")) == 15


async def test_a_list_grows_with_what_is_published(client: Client) -> None:
    await client.publish(2)
    assert len(await ids(client, "/api/kills/")) == 2
    await client.publish(3)
    assert len(await ids(client, "/api/kills/")) == 5


async def test_the_end_of_a_characters_list_is_an_empty_page(client: Client) -> None:
    packages = await published(client, 40)
    character_id = next(p["esi"]["victim"]["character_id"] for p in packages if "character_id" in p["esi"]["victim"])

    first, second = [await ids(client, f"/api/characterID/{character_id}/page/{page}/") for page in (1, 2)]

    assert first
    assert second == []


async def test_the_lists_of_2025_hold_ids_and_hashes_only(running: Running) -> None:
    async with running(has_full_lists=False) as client:
        (package,) = await published(client, 1)
        (row,) = (await client.get("/api/kills/page/1/")).body

    assert set(row) == {"killmail_id", "zkb"}
    assert row["zkb"]["hash"] == package["hash"]


async def test_with_limits_a_list_may_be_asked_for_every_ten_seconds(running: Running, clock: Clock) -> None:
    async with running(has_limits=True) as client:
        statuses = []
        for pause in (0, 1, 9, 0):
            clock.now += pause
            answer = await client.get("/api/characterID/2112000001/page/1/")
            statuses.append((answer.status, answer.headers.get("Retry-After")))

    assert statuses == [(200, None), (429, "9"), (200, None), (429, "10")]


async def test_with_limits_what_happened_in_the_last_five_minutes_is_withheld(running: Running, clock: Clock) -> None:
    async with running(has_limits=True) as client:
        await client.publish(1)
        assert await ids(client, "/api/kills/") == []
        clock.now += 300
        assert len(await ids(client, "/api/kills/")) == 1


async def test_the_slash_at_the_end_is_needed_and_a_query_string_is_not_allowed(client: Client) -> None:
    assert (await client.get("/api/kills")).status == 302
    assert (await client.get("/api/kills/?page=2")).status == 403


@pytest.mark.parametrize(
    "path",
    [
        "/api/characterID/012/",
        "/api/characterID/abc/",
        "/api/characterID//",
        "/api/characterID/",
        "/api/character/5/",
        "/api/kills/page/0/",
        "/api/kills/page/101/",
        "/api/kills/pastSeconds/100/",
        "/api/kills/pastSeconds/608400/",
        "/api/characterID/1,2/",
        "/api/page/1/",
        "/api//",
    ],
)
async def test_what_the_api_does_not_do_is_an_error_with_status_200(client: Client, path: str) -> None:
    answer = await client.get(path)

    assert answer.status == 200
    assert set(answer.body) == {"error"}
