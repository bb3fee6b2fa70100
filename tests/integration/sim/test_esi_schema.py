"""Every answer of the simulator's ESI is one the OpenAPI document of 2026-08-18 allows."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from tests.integration.sim.conftest import FIRST, Client, Clock, Running

NEWEST = {"X-Compatibility-Date": "2026-08-18"}
SOMEBODY, CORPORATION = 2_112_000_001, 98_600_001
NPC_CORPORATION = 1_000_125

# Path in the document, path asked for; {killmail}, {war} and {alliance} stand for ones that are there.
GOOD = [
    ("/killmails/{killmail_id}/{killmail_hash}", "/killmails/{killmail}"),
    ("/characters/{character_id}", f"/characters/{SOMEBODY}"),
    ("/characters/{character_id}/corporationhistory", f"/characters/{SOMEBODY}/corporationhistory"),
    ("/corporations/{corporation_id}", f"/corporations/{CORPORATION}"),
    ("/corporations/{corporation_id}", f"/corporations/{NPC_CORPORATION}"),
    ("/corporations/{corporation_id}/alliancehistory", f"/corporations/{CORPORATION}/alliancehistory"),
    ("/alliances", "/alliances"),
    ("/alliances/{alliance_id}", "/alliances/{alliance}"),
    ("/alliances/{alliance_id}/corporations", "/alliances/{alliance}/corporations"),
    ("/universe/types", "/universe/types?page=3"),
    ("/universe/types/{type_id}", "/universe/types/587"),
    ("/universe/types/{type_id}", "/universe/types/3774"),
    ("/universe/groups", "/universe/groups"),
    ("/universe/groups/{group_id}", "/universe/groups/25"),
    ("/universe/categories", "/universe/categories"),
    ("/universe/categories/{category_id}", "/universe/categories/6"),
    ("/universe/systems", "/universe/systems"),
    ("/universe/systems/{system_id}", "/universe/systems/30000142"),
    ("/universe/constellations", "/universe/constellations"),
    ("/universe/constellations/{constellation_id}", "/universe/constellations/20000020"),
    ("/universe/regions", "/universe/regions"),
    ("/universe/regions/{region_id}", "/universe/regions/10000002"),
    ("/universe/system_kills", "/universe/system_kills"),
    ("/markets/prices", "/markets/prices"),
    ("/markets/{region_id}/history", "/markets/10000002/history?type_id=34"),
    ("/status", "/status"),
    ("/wars", "/wars"),
    ("/wars/{war_id}", "/wars/{war}"),
    ("/wars/{war_id}/killmails", "/wars/{war}/killmails"),
    ("/meta/compatibility-dates", "/meta/compatibility-dates"),
]
POSTED = [
    ("/characters/affiliation", [SOMEBODY, SOMEBODY + 1]),
    ("/universe/names", [SOMEBODY, CORPORATION, NPC_CORPORATION, 99_005_001, 30_000_142, 20_000_020, 10_000_002, 587]),
    ("/universe/ids", ["Jita", "Rifter", "CONCORD", "Caldari State", "The Forge", "Kimotoro", "Laikourk Kujand", "?"]),
]
BAD = [
    ("/killmails/{killmail_id}/{killmail_hash}", "/killmails/5/0123456789012345678901234567890123456789"),
    ("/characters/{character_id}", "/characters/5"),
    ("/universe/types/{type_id}", "/universe/types/999999999"),
    ("/wars/{war_id}", "/wars/1"),
    ("/status", "/status?compatibility_date=never"),
]


@cache
def document(path: Path) -> Any:
    """Return the OpenAPI document."""
    return json.loads(path.read_bytes())


def check(data: Path, path: str, method: str, status: str, body: Any) -> None:
    """Fail unless the document allows this body for this answer."""
    spec = document(data / "esi" / "openapi.json")
    schema = spec["paths"][path][method]["responses"][status]["content"]["application/json"]["schema"]
    # OpenAPI 3.1 is JSON Schema 2020-12, so the document's own parts can be referred to as they are.
    validator = jsonschema.Draft202012Validator(
        {**schema, "components": spec["components"]}, format_checker=jsonschema.FormatChecker()
    )
    errors = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
    assert errors[:3] == []


async def filled(client: Client) -> dict[str, str]:
    """Publish mails and return what the placeholders stand for."""
    head = await client.publish(200)
    mails = [await client.package(n) for n in range(FIRST, head + 1)]
    return {
        "killmail": f"{mails[0]['killmail_id']}/{mails[0]['hash']}",
        "war": str(next(mail["esi"]["war_id"] for mail in mails if "war_id" in mail["esi"])),
        "alliance": str(next(m["esi"]["victim"]["alliance_id"] for m in mails if "alliance_id" in m["esi"]["victim"])),
    }


async def test_the_newest_shape_is_the_documents(data: Path, client: Client, clock: Clock) -> None:
    stand_for = await filled(client)
    # The hour in which they died must be over before it is counted.
    clock.now += 3600

    for path, asked in GOOD:
        answer = await client.get(asked.format_map(stand_for), headers=NEWEST)
        assert answer.status == 200, asked
        for header in ("ETag", "Last-Modified", "Cache-Control", "Expires"):
            assert header in answer.headers, asked
        assert answer.body, asked
        check(data, path, "get", "200", answer.body)


async def test_what_is_posted_for_is_answered_in_the_documents_shape(data: Path, client: Client) -> None:
    for path, body in POSTED:
        answer = await client.ask("POST", path, json=body, headers=NEWEST)
        assert answer.status == 200, path
        check(data, path, "post", "200", answer.body)


async def test_what_was_changed_by_hand_is_the_documents_too(data: Path, client: Client) -> None:
    changes = {"closed": [CORPORATION], "types": {"999999": {"name": "Brand New Frigate", "group_id": 25}}}
    assert (await client.post("/control/world", changes)).status == 200
    closed = await client.get(f"/corporations/{CORPORATION}", headers=NEWEST)
    empty_alliance = await client.get("/alliances/99999999", headers=NEWEST)
    new_type = await client.get("/universe/types/999999", headers=NEWEST)
    token = (await client.post("/control/token", {"character_id": SOMEBODY})).body["access_token"]
    recent = await client.get(
        f"/characters/{SOMEBODY}/killmails/recent", headers={**NEWEST, "Authorization": f"Bearer {token}"}
    )

    check(data, "/corporations/{corporation_id}", "get", "200", closed.body)
    check(data, "/alliances/{alliance_id}", "get", "200", empty_alliance.body)
    check(data, "/universe/types/{type_id}", "get", "200", new_type.body)
    check(data, "/characters/{character_id}/killmails/recent", "get", "200", recent.body)


async def test_every_made_up_killmail_is_the_documents(data: Path, client: Client) -> None:
    head = await client.publish(60)

    for sequence in range(FIRST, head + 1):
        package = await client.package(sequence)
        check(data, "/killmails/{killmail_id}/{killmail_hash}", "get", "200", package["esi"])


@pytest.mark.parametrize(("path", "asked"), BAD)
async def test_errors_are_the_documents_too(data: Path, client: Client, path: str, asked: str) -> None:
    answer = await client.get(asked)

    assert answer.status >= 400
    check(data, path, "get", "default", answer.body)


async def test_refusals_by_limits_and_faults_are_the_documents_too(data: Path, running: Running) -> None:
    async with running(has_limits=True) as client:
        bodies = [(await client.get("/meta/compatibility-dates")) for _ in range(76)][-1:]
        for fault in ({"fail_next": 1, "fail_status": 420}, {"downtime": 504}):
            await client.post("/control/faults", fault)
            bodies.append(await client.get("/status"))

    assert [answer.status for answer in bodies] == [429, 420, 504]
    for answer in bodies:
        check(data, "/status", "get", "default", answer.body)
