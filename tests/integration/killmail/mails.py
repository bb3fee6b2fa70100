"""Small killmails with ids of one's choice."""

from __future__ import annotations

from typing import Any

import msgspec

from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail

RIFTER, CAPSULE, DAMAGE_CONTROL = 587, 670, 2048
PILOT, CORPORATION, ALLIANCE = 2112000001, 98000001, 99000001


def body(mail_id: int, **victim: Any) -> dict[str, Any]:
    """Return a solo kill in Jita, with CONCORD beside the pilot; `victim` overrides the victim's keys."""
    return {
        "killmail_id": mail_id,
        "killmail_time": "2021-12-02T10:00:00Z",
        "solar_system_id": 30000142,
        "victim": {
            "ship_type_id": RIFTER,
            "damage_taken": 1000,
            "character_id": PILOT,
            "corporation_id": CORPORATION,
            "items": [{"item_type_id": DAMAGE_CONTROL, "flag": 11, "singleton": 0, "quantity_destroyed": 1}],
            **victim,
        },
        "attackers": [
            {
                "character_id": PILOT + 1000 + mail_id % 7,
                "corporation_id": CORPORATION + 1,
                "alliance_id": ALLIANCE,
                "damage_done": 1000,
                "final_blow": True,
                "security_status": 0.5,
                "ship_type_id": RIFTER,
                "weapon_type_id": RIFTER,
            },
            {"corporation_id": 1000125, "damage_done": 0, "final_blow": False, "security_status": 0.0},
        ],
    }


def arrival(mail_id: int, *, hash_: bytes | None = None, **victim: Any) -> Arrival:
    """Return the same as a source hands it to the writer."""
    raw = msgspec.json.encode(body(mail_id, **victim))
    return Arrival(decode_killmail(raw), "test", hash=hash_, reference=f"test:{mail_id}", body=raw, is_from_feed=True)
