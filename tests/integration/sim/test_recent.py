"""A player's recent killmails, behind a token."""

from __future__ import annotations

from typing import Any

import pytest

from killreport.sim.esi import recent as esi_recent
from tests.integration.sim.conftest import FIRST, Client, Clock, Running

DAY = 86_400


async def somebody(client: Client) -> tuple[int, list[int]]:
    """Publish mails and return the player of most of them, and the ids with that player, the newest first."""
    head = await client.publish(150)
    seen: dict[int, list[tuple[str, int]]] = {}
    for sequence in range(FIRST, head + 1):
        mail = (await client.package(sequence))["esi"]
        for character_id in {row.get("character_id", 0) for row in (mail["victim"], *mail["attackers"])}:
            seen.setdefault(character_id, []).append((mail["killmail_time"], mail["killmail_id"]))
    del seen[0]
    character_id = max(seen, key=lambda known: len(seen[known]))
    return character_id, [killmail_id for _, killmail_id in sorted(seen[character_id], reverse=True)]


async def log_in(client: Client, character_id: int, **login: Any) -> dict[str, str]:
    """Return the header that names a token."""
    answer = await client.post("/control/token", {"character_id": character_id, **login})
    return {"Authorization": f"Bearer {answer.body['access_token']}"}


async def test_a_player_gets_the_killmails_of_ninety_days_and_their_hashes_are_right(
    client: Client, clock: Clock
) -> None:
    character_id, ids = await somebody(client)
    path = f"/characters/{character_id}/killmails/recent"

    recent = await client.get(path, headers=await log_in(client, character_id))

    assert [row["killmail_id"] for row in recent.body] == ids
    for row in recent.body[:3]:
        assert (await client.get(f"/killmails/{row['killmail_id']}/{row['killmail_hash']}")).status == 200
    clock.now += 91 * DAY
    assert (await client.get(path, headers=await log_in(client, character_id))).body == []


async def test_a_list_has_pages_and_says_how_many(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    character_id, ids = await somebody(client)
    monkeypatch.setattr(esi_recent, "_PAGE_SIZE", 2)
    header = await log_in(client, character_id)
    pages = -(-len(ids) // 2)

    found: list[int] = []
    for page in range(1, pages + 1):
        answer = await client.get(f"/characters/{character_id}/killmails/recent?page={page}", headers=header)
        assert answer.headers["X-Pages"] == str(pages)
        found += [row["killmail_id"] for row in answer.body]
    beyond = await client.get(f"/characters/{character_id}/killmails/recent?page={pages + 1}", headers=header)

    assert pages > 1
    assert found == ids
    assert beyond.status == 404


async def test_nobody_without_a_valid_token_gets_anything(client: Client, clock: Clock) -> None:
    path = "/characters/2112000001/killmails/recent"
    good = await log_in(client, 2_112_000_001, seconds=60)
    other = await log_in(client, 2_112_000_002)
    narrow = await log_in(client, 2_112_000_001, scopes=["publicData"])

    headers: list[tuple[dict[str, str], int]] = [
        ({}, 401),
        ({"Authorization": "Basic abc"}, 401),
        ({"Authorization": "Bearer abc"}, 401),
        (other, 403),
        (narrow, 403),
        (good, 200),
        ({"Authorization": "Bearer sim-2112000001"}, 401),
    ]
    for header, status in headers:
        assert (await client.get(path, headers=header)).status == status, header
    clock.now += 60
    assert (await client.get(path, headers=good)).status == 401


async def test_a_player_has_fifteen_reads_in_fifteen_minutes(running: Running) -> None:
    async with running(has_limits=True) as client:
        header = await log_in(client, 2_112_000_001)
        path = "/characters/2112000001/killmails/recent"
        statuses = [(await client.get(path, headers=header)).status for _ in range(16)]

    assert statuses == [200] * 15 + [429]
