"""What a stored killmail counts for in the rollups, read back from its rows: to correct it or to take it away.

As it was counted, not as it would be today: the groups of the killers' hulls are those that `killed_by` has for it,
though a hull may be in another group by now. The victim's group and the places are in its own row.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.stored.rollup import KIND_BITS, Rollup, code_of

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
# Of rows that an older release stored it is the group of today; of a hull that changed since, the one it had.
FINAL_BLOW_GROUP = """coalesce(final_blow_ship_group_id,
    case when due.id is null then final.group_id else due.former_group_ids[1] end, 0)"""
_MAILS = """
    select killmail_id, killmail_time, points, total_value_cents, is_solo, is_npc,
           solar_system_id, constellation_id, region_id, victim_character_id, victim_corporation_id,
           victim_alliance_id, victim_faction_id, ship_type_id, ship_group_id
    from killmail where killmail_id = any($1) order by killmail_id
"""
# Only groups that a hull of the mail is in, or was in when the mail was counted, can be among its killers.
_GROUPS = f"""
    with mail as (
        select killmail_id, killmail_time, final_blow_ship_type_id, final_blow_ship_group_id
        from killmail where killmail_id = any($1)
    ), hull as (
        select distinct killmail_id, ship_type_id from attacker where killmail_id = any($1) and ship_type_id is not null
    ), known as (
        select killmail_id, group_id from hull join eve_type on type_id = ship_type_id
        union
        select killmail_id, unnest(former_group_ids) from hull join derive_due on kind = 'type' and id = ship_type_id
    )
    select killmail_id, known.group_id, known.group_id = {FINAL_BLOW_GROUP} as is_final_blow
    from mail join known using (killmail_id)
    join killed_by side using (killmail_time, killmail_id)
    left join eve_type final on final.type_id = final_blow_ship_type_id
    left join derive_due due on due.kind = 'type' and due.id = final_blow_ship_type_id
    where side.code = known.group_id::bigint << {KIND_BITS} | {EntityKind.SHIP_GROUP:d}
"""  # noqa: S608 - numbers and words of our own
_ATTACKERS = """
    select distinct killmail_id, is_final_blow, character_id, corporation_id, alliance_id, faction_id, ship_type_id
    from attacker where killmail_id = any($1)
"""


@dataclass(slots=True)
class _Killers:
    """The codes of the attackers' side of a killmail."""

    everybody: set[int] = field(default_factory=set)
    final_blow: set[int] = field(default_factory=set)


async def correction_of(connection: Connection, differences: Mapping[int, int]) -> Rollup:
    """Return what is to be added to the rollups when the values of these killmails change by so many cents."""
    rollup = Rollup()
    killers = await _killers_of(connection, differences)
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


async def removal_of(connection: Connection, mail_ids: Collection[int]) -> Rollup:
    """Return what is to be added to the rollups when these stored killmails are removed: the negative of their part."""
    rollup = Rollup()
    killers = await _killers_of(connection, mail_ids)
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


async def counted_groups(connection: Connection, mail_ids: Collection[int]) -> Mapping[int, set[int]]:
    """Return the groups of hulls that each of these stored killmails is counted for on the killing side."""
    found: defaultdict[int, set[int]] = defaultdict(set)
    for row in await connection.fetch(_GROUPS, list(mail_ids)):
        found[row["killmail_id"]].add(row["group_id"])
    return found


async def _killers_of(connection: Connection, mail_ids: Collection[int]) -> Mapping[int, _Killers]:
    found: defaultdict[int, _Killers] = defaultdict(_Killers)
    for row in await connection.fetch(_ATTACKERS, list(mail_ids)):
        codes = _codes(row, _PARTIES)
        found[row["killmail_id"]].everybody.update(codes)
        if row["is_final_blow"]:
            found[row["killmail_id"]].final_blow.update(codes)
    for row in await connection.fetch(_GROUPS, list(mail_ids)):
        code = code_of(EntityKind.SHIP_GROUP, row["group_id"])
        found[row["killmail_id"]].everybody.add(code)
        if row["is_final_blow"]:
            found[row["killmail_id"]].final_blow.add(code)
    return found


def _codes(row: Any, columns: tuple[tuple[EntityKind, str], ...]) -> list[int]:
    return [code_of(kind, row[column]) for kind, column in columns if row[column] is not None]
