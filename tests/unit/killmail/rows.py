"""Stored rows for tests that need no database."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from killreport.killmail.filters.predicates import Facts
from killreport.killmail.stored.queries import AttackerRow, ItemRow, KillmailRow
from tests.factories import ALICE, ALICES_CORPORATION, BOB, BOBS_CORPORATION, RIFTER, TAMA, make_universe

UNIVERSE = make_universe()


def item_row(ordinal: int, type_id: int, flag: int, **values: Any) -> ItemRow:
    """Return one destroyed item worth 1.00 ISK; `values` overrides columns."""
    row = {"killmail_id": 1, "parent_ordinal": None, "price_rule": 0, "singleton": 0}
    row |= {"quantity_dropped": 0, "quantity_destroyed": 1, "unit_price_cents": 100}
    return ItemRow(**{**row, "ordinal": ordinal, "type_id": type_id, "flag": flag, **values})


def attacker_row(ordinal: int = 0, **values: Any) -> AttackerRow:
    """Return Bob in a Rifter, who struck the final blow where he is the first."""
    row = {
        "killmail_id": 1,
        "ordinal": ordinal,
        "is_final_blow": ordinal == 0,
        "character_id": BOB,
        "alliance_id": None,
    }
    row |= {"corporation_id": BOBS_CORPORATION, "faction_id": None, "ship_type_id": RIFTER, "weapon_type_id": None}
    return AttackerRow(**{**row, "damage_done": 100, "security_status": 0.5, **values})


def killmail_row(**values: Any) -> KillmailRow:
    """Return Alice's Rifter, lost to one player in Tama; `values` overrides columns."""
    row: dict[str, Any] = dict.fromkeys(KillmailRow.__struct_fields__)
    row |= dict.fromkeys([name for name in row if name.endswith("_cents")], 0)
    at = datetime(2021, 12, 2, 18, 30, tzinfo=UTC)
    row |= {"killmail_id": 1, "killmail_time": at, "stored_at": at, "solar_system_id": TAMA}
    row |= {"region_id": 10000002, "victim_character_id": ALICE, "victim_corporation_id": ALICES_CORPORATION}
    row |= {"ship_type_id": RIFTER, "ship_group_id": 25, "damage_taken": 100, "attacker_count": 1, "player_count": 1}
    row |= {"ship_price_rule": 0, "is_value_complete": True, "points": 1}
    row |= {"is_npc": False, "is_solo": True, "is_awox": False, "labels": []}
    return KillmailRow(**{**row, **values})


def make_facts(*items: ItemRow, attackers: tuple[AttackerRow, ...] = (attacker_row(),), **values: Any) -> Facts:
    """Return a stored killmail with its rows."""
    return Facts(killmail_row(**values), attackers, items, UNIVERSE)
