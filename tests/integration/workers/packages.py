"""Packages of the feed around small killmails, with true hashes."""

from __future__ import annotations

from typing import Any

import msgspec

from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash

TIME = "2021-12-02T10:00:00Z"


def killmail(mail_id: int, time: str = TIME) -> dict[str, Any]:
    """Return a solo kill in Jita."""
    return {
        "killmail_id": mail_id,
        "killmail_time": time,
        "solar_system_id": 30000142,
        "victim": {
            "ship_type_id": 587,
            "damage_taken": 1000,
            "character_id": 2112000001,
            "corporation_id": 98000001,
            "items": [{"item_type_id": 2048, "flag": 11, "singleton": 0, "quantity_destroyed": 1}],
        },
        "attackers": [
            {
                "character_id": 2112000002,
                "corporation_id": 98000002,
                "damage_done": 1000,
                "final_blow": True,
                "security_status": 0.5,
                "ship_type_id": 587,
                "weapon_type_id": 587,
            }
        ],
    }


def body_of(mail_id: int, time: str = TIME) -> bytes:
    """Return the killmail as ESI gives it."""
    return msgspec.json.encode(killmail(mail_id, time))


def hash_of(mail_id: int, time: str = TIME) -> str:
    """Return the true hash of the killmail."""
    return killmail_hash(decode_killmail(body_of(mail_id, time))).hex()


def package_of(mail_id: int, *, labels: tuple[str, ...] = (), **fields: Any) -> bytes:
    """Return the killmail as a file of the feed; fields are added to the envelope, or replace its own."""
    zkb = {"locationID": 50000001, "hash": hash_of(mail_id), "labels": labels}
    envelope = {"killmail_id": mail_id, "hash": hash_of(mail_id), "esi": killmail(mail_id), "zkb": zkb, **fields}
    return msgspec.json.encode(envelope)
