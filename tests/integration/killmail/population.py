"""Killmails over few pilots, ships and places, so that made-up filters often hit; the same for the same seed."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail

CHARACTERS = [90_000_001, 90_000_002, 90_000_003, 90_000_004, 3_008_416]
CORPORATIONS = [98_000_001, 98_000_002, 98_000_003, 1_000_125]
ALLIANCES = [99_000_001, 99_000_002, 99_000_003]
FACTIONS = [500_001, 500_004, 500_010]
SHIP_TYPES = [587, 670, 645, 23913, 35832, 3885, 2836, 99_999_999]  # the last is in no static data
SHIP_GROUPS = [25, 29, 27, 659, 1657]
SYSTEMS = [30000142, 30002813, 30001372, 31000005, 30000021, 32000001, 30100000, 33_000_001]
CONSTELLATIONS, REGIONS = [20000020, 20000386], [10000002, 10000033, 10000070]
TYPES = [2048, 34, 439, 3467, 2488]
WEAPONS = [587, 2488, 3244]
WARS = [700_001, 700_002]
LOCATIONS = [40_009_082, 40_161_465]
FLAGS = [5, 11, 19, 27, 92, 87, 89]
BEGIN = datetime(2021, 12, 1, 20, 0, tzinfo=UTC)
HOURS = 40


def _maybe(chance: random.Random, choices: list[int], share: float = 0.6) -> int | None:
    return chance.choice(choices) if chance.random() < share else None


def _party(chance: random.Random) -> dict[str, Any]:
    found = {
        "character_id": _maybe(chance, CHARACTERS, 0.8),
        "corporation_id": _maybe(chance, CORPORATIONS, 0.9),
        "alliance_id": _maybe(chance, ALLIANCES, 0.5),
        "faction_id": _maybe(chance, FACTIONS, 0.2),
    }
    return {key: value for key, value in found.items() if value is not None}


def _attacker(chance: random.Random, place: int) -> dict[str, Any]:
    attacker = {**_party(chance), "damage_done": 10, "final_blow": place == 0, "security_status": 0.1}
    attacker |= {"ship_type_id": ship} if (ship := _maybe(chance, SHIP_TYPES, 0.8)) else {}
    return attacker | ({"weapon_type_id": weapon} if (weapon := _maybe(chance, WEAPONS, 0.8)) else {})


def _item(chance: random.Random, *, is_inside: bool = False) -> dict[str, Any]:
    item: dict[str, Any] = {
        "item_type_id": chance.choice(TYPES),
        "flag": chance.choice(FLAGS),
        "singleton": 0,
        chance.choice(["quantity_dropped", "quantity_destroyed"]): chance.choice([1, 1, 2, 5_000_000]),
    }
    if not is_inside and item["item_type_id"] == 3467:
        item["items"] = [_item(chance, is_inside=True) for _ in range(chance.randrange(3))]
    return item


def make_arrivals(number: int, seed: int) -> list[Arrival]:
    """Return so many killmails in no order of time; several share a second."""
    chance = random.Random(seed)
    arrivals = []
    for mail_id in range(1000, 1000 + number):
        body = {
            "killmail_id": mail_id,
            "killmail_time": f"{BEGIN + timedelta(minutes=5 * chance.randrange(HOURS * 12)):%Y-%m-%dT%H:%M:%SZ}",
            "solar_system_id": chance.choice(SYSTEMS),
            "victim": {
                **_party(chance),
                "ship_type_id": chance.choice(SHIP_TYPES),
                "damage_taken": 1,
                "items": [_item(chance) for _ in range(chance.randrange(4))],
            },
            "attackers": [_attacker(chance, place) for place in range(chance.choice([1, 1, 2, 3, 12]))],
        }
        if war := _maybe(chance, WARS, 0.3):
            body["war_id"] = war
        mail = decode_killmail(msgspec.json.encode(body))
        # A value of its own: what came before in the order of chances stays as it was.
        location_id = LOCATIONS[mail_id % 3] if mail_id % 3 < len(LOCATIONS) else None
        arrivals.append(Arrival(mail, "test", reference=f"test:{mail_id}", location_id=location_id))
    return arrivals
