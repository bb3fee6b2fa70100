"""Carries a change of value over into the daily figures of everybody a killmail names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.eve.universe import Universe
from killreport.killmail.rollup import Rollup, code_of

_PARTIES = (
    (EntityKind.CHARACTER, "character_id"),
    (EntityKind.CORPORATION, "corporation_id"),
    (EntityKind.ALLIANCE, "alliance_id"),
    (EntityKind.FACTION, "faction_id"),
    (EntityKind.SHIP_TYPE, "ship_type_id"),
)
_VICTIM = (
    (EntityKind.CHARACTER, "victim_character_id"),
    (EntityKind.CORPORATION, "victim_corporation_id"),
    (EntityKind.ALLIANCE, "victim_alliance_id"),
    (EntityKind.FACTION, "victim_faction_id"),
    (EntityKind.SHIP_TYPE, "ship_type_id"),
    (EntityKind.SHIP_GROUP, "ship_group_id"),
)
_PLACES = (
    (EntityKind.SOLAR_SYSTEM, "solar_system_id"),
    (EntityKind.CONSTELLATION, "constellation_id"),
    (EntityKind.REGION, "region_id"),
)
_MAILS = """
    select killmail_id, (killmail_time at time zone 'UTC')::date as day, is_npc, solar_system_id, constellation_id,
           region_id, victim_character_id, victim_corporation_id, victim_alliance_id, victim_faction_id, ship_type_id,
           ship_group_id
    from killmail where killmail_id = any($1) order by killmail_id
"""
_ATTACKERS = """
    select distinct killmail_id, character_id, corporation_id, alliance_id, faction_id, ship_type_id
    from attacker where killmail_id = any($1)
"""


async def correct_rollups(connection: Connection, differences: Mapping[int, int], universe: Universe) -> None:
    """Add the difference in cents of each killmail to the rollups, in the caller's transaction.

    Not idempotent: that transaction has to change the killmails' values with it.
    """
    if not differences:
        return
    killers: dict[int, set[int]] = defaultdict(set)
    for row in await connection.fetch(_ATTACKERS, list(differences)):
        codes = killers[row["killmail_id"]]
        codes.update(_codes(row, _PARTIES))
        ship = universe.types.get(row["ship_type_id"])
        if ship is not None:
            codes.add(code_of(EntityKind.SHIP_GROUP, ship.group_id))
    rollup = Rollup()
    for mail in await connection.fetch(_MAILS, list(differences)):
        mail_id = mail["killmail_id"]
        rollup.correct(
            mail["day"],
            winners=[*killers[mail_id], *_codes(mail, _PLACES)],
            victims=_codes(mail, _VICTIM),
            value_cents=differences[mail_id],
            is_npc=mail["is_npc"],
        )
    await rollup.save(connection)


def _codes(row: Any, columns: tuple[tuple[EntityKind, str], ...]) -> list[int]:
    return [code_of(kind, row[column]) for kind, column in columns if row[column] is not None]
