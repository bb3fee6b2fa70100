"""What a stored killmail counts for in the rollups, read back from its rows: to correct it or to take it away."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
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
    select killmail_id, killmail_time, points, total_value_cents, is_solo, is_npc,
           solar_system_id, constellation_id, region_id, victim_character_id, victim_corporation_id,
           victim_alliance_id, victim_faction_id, ship_type_id, ship_group_id
    from killmail where killmail_id = any($1) order by killmail_id
"""
_ATTACKERS = """
    select distinct killmail_id, is_final_blow, character_id, corporation_id, alliance_id, faction_id, ship_type_id
    from attacker where killmail_id = any($1)
"""


@dataclass(slots=True)
class _Killers:
    """The codes of the attackers' side of a killmail."""

    everybody: set[int] = field(default_factory=set)
    final_blow: set[int] = field(default_factory=set)


async def correction_of(connection: Connection, differences: Mapping[int, int], universe: Universe) -> Rollup:
    """Return what is to be added to the rollups when the values of these killmails change by so many cents."""
    rollup = Rollup()
    killers = await _killers_of(connection, differences, universe)
    for mail in await connection.fetch(_MAILS, list(differences)):
        mail_id = mail["killmail_id"]
        rollup.correct(
            mail["killmail_time"].date(),
            mail["solar_system_id"],
            winners=[*killers[mail_id].everybody, *_codes(mail, _PLACES)],
            victims=_codes(mail, _VICTIM),
            value_cents=differences[mail_id],
            is_npc=mail["is_npc"],
        )
    return rollup


async def removal_of(connection: Connection, mail_ids: Collection[int], universe: Universe) -> Rollup:
    """Return what is to be added to the rollups when these stored killmails are removed: the negative of their part."""
    rollup = Rollup()
    killers = await _killers_of(connection, mail_ids, universe)
    for mail in await connection.fetch(_MAILS, list(mail_ids)):
        side = killers[mail["killmail_id"]]
        rollup.add(
            mail["killmail_time"],
            mail["solar_system_id"],
            killers=side.everybody,
            final_blow=side.final_blow,
            places=_codes(mail, _PLACES),
            victims=_codes(mail, _VICTIM),
            points=mail["points"],
            value_cents=mail["total_value_cents"],
            is_solo=mail["is_solo"],
            is_npc=mail["is_npc"],
            times=-1,
        )
    return rollup


async def _killers_of(connection: Connection, mail_ids: Collection[int], universe: Universe) -> Mapping[int, _Killers]:
    found: defaultdict[int, _Killers] = defaultdict(_Killers)
    for row in await connection.fetch(_ATTACKERS, list(mail_ids)):
        codes = _codes(row, _PARTIES)
        ship = universe.types.get(row["ship_type_id"])
        if ship is not None:
            codes.append(code_of(EntityKind.SHIP_GROUP, ship.group_id))
        found[row["killmail_id"]].everybody.update(codes)
        if row["is_final_blow"]:
            found[row["killmail_id"]].final_blow.update(codes)
    return found


def _codes(row: Any, columns: tuple[tuple[EntityKind, str], ...]) -> list[int]:
    return [code_of(kind, row[column]) for kind, column in columns if row[column] is not None]
