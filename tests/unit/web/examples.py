"""What the API would answer, made up."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec

from killreport.web.model import ApiAttacker, ApiItem, ApiKillRow, ApiSection, ApiSlot, ApiTotal

NOON = datetime(2021, 12, 2, 12, 0, tzinfo=UTC)
RIFTER = {"id": 587, "name": "Rifter", "group": {"id": 25, "name": "Frigate", "category": {"id": 6, "name": "Ship"}}}
NOBODY = {"character": None, "corporation": None, "alliance": None, "faction": None}


def make_row(killmail_id: int = 1, time: datetime = NOON, **keys: Any) -> ApiKillRow:
    """Return a row of the list; `keys` override the answer's."""
    answer = {
        "id": killmail_id,
        "cursor": f"cursor{killmail_id}",
        "time": time,
        "solarSystem": {
            "id": 30000142,
            "name": "Jita",
            "security": 0.9,
            "spaceClass": "highsec",
            "constellation": None,
            "region": {"id": 10000002, "name": "The Forge"},
        },
        "victim": {
            **NOBODY,
            "character": {"id": 2112000001, "name": "Alice"},
            "corporation": {"id": 98000001, "name": "Alice Co", "ticker": "ALCO"},
            "shipType": RIFTER,
            "damageTaken": 10,
        },
        "finalBlow": {**NOBODY, "character": {"id": 2112000002, "name": None}, "shipType": RIFTER},
        "attackerCount": 3,
        "values": {"total": "1234567.89", "isComplete": True},
        "labels": [],
        "solo": False,
        "npc": False,
        "awox": False,
        **keys,
    }
    return msgspec.convert(answer, ApiKillRow)


def make_attacker(**keys: Any) -> ApiAttacker:
    """Return an attacker; who is not named in `keys` is absent."""
    return msgspec.convert({**NOBODY, "shipType": None, "weaponType": None, **keys}, ApiAttacker)


def make_item(type_id: int, **keys: Any) -> ApiItem:
    """Return one destroyed item worth 10 ISK; `keys` override the answer's."""
    answer = {
        "type": {"id": type_id, "name": f"Thing {type_id}", "group": None},
        "quantityDropped": 0,
        "quantityDestroyed": 1,
        "singleton": 0,
        "unitPrice": "10.00",
        "priceExplanation": "Because.",
        "items": [],
        **keys,
    }
    return msgspec.convert(answer, ApiItem)


def make_section(
    *items: ApiItem, slots: Sequence[ApiSlot] = (), total: str = "10.00", is_complete: bool = True
) -> ApiSection:
    """Return a section of a fitting."""
    return ApiSection("Cargo hold", list(slots), list(items), ApiTotal(total, is_complete))
