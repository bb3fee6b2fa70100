"""Killmails as sources write them, to be changed one field at a time."""

from __future__ import annotations

from typing import Any

import msgspec

Body = dict[str, Any]


def make_body(**changes: Any) -> Body:
    """Return a killmail in ESI's present shape; a change to None drops the key."""
    body: Body = {
        "killmail_id": 97_000_001,
        "killmail_time": "2021-12-02T18:30:00Z",
        "solar_system_id": 30002813,
        "victim": {
            "character_id": 90_000_001,
            "corporation_id": 98_000_001,
            "damage_taken": 300,
            "ship_type_id": 587,
            "position": {"x": 1.5, "y": -2, "z": 3e12},
            "items": [
                {"flag": 5, "item_type_id": 3467, "quantity_destroyed": 1, "singleton": 0,
                 "items": [{"flag": 0, "item_type_id": 34, "quantity_destroyed": 7, "singleton": 0}]},
                {"flag": 11, "item_type_id": 439, "quantity_dropped": 1, "singleton": 0},
            ],
        },
        "attackers": [
            {"character_id": 90_000_002, "corporation_id": 98_000_002, "damage_done": 200, "final_blow": False,
             "security_status": -2.5, "ship_type_id": 626, "weapon_type_id": 2185},
            {"corporation_id": 1_000_125, "damage_done": 100, "final_blow": True, "security_status": 0,
             "ship_type_id": 3885},
        ],
    }  # fmt: skip
    body.update(changes)
    return {key: value for key, value in body.items() if value is not None}


def make_victim(**changes: Any) -> Body:
    """Return the victim of `make_body` with changes; a change to None drops the key."""
    victim = {**make_body()["victim"], **changes}
    return {key: value for key, value in victim.items() if value is not None}


def encode(body: object) -> bytes:
    """Return the bytes a source would send."""
    return msgspec.json.encode(body)
