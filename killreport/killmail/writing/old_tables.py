"""Killmails in the tables of releases up to migration 29, read with everything that they are counted for.

As they were counted, not as they would be today: the groups of the killers' hulls are those that `killed_by` has.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import Malformed, Refused
from killreport.killmail.mail.hash import hash_of
from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.label_numbers import pack_labels
from killreport.killmail.mail.model import Attacker, Item, Killmail, Victim
from killreport.killmail.postings.codes import KIND_BITS, code_of
from killreport.killmail.stored.named import Named, add_marks, named_in
from killreport.killmail.stored.packed import pack_attackers, pack_items
from killreport.killmail.stored.rollup import Rollup
from killreport.killmail.writing.counted import FINAL_BLOW_GROUP
from killreport.killmail.writing.derive import KILLMAIL_COLUMNS

MOVED_COLUMNS = (*KILLMAIL_COLUMNS, "stored_at")
# What the old row does not have as it is stored now.
_MADE = ("ship_category_id", "labels", "attackers", "items")
_SAME = [name for name in MOVED_COLUMNS if name not in _MADE]
_KILLMAILS = f"""
    select {", ".join(_SAME)}, labels as old_labels, hash, {FINAL_BLOW_GROUP} as blow_group_id
    from public.killmail
    left join eve_type final on final.type_id = final_blow_ship_type_id
    left join derive_due due on due.kind = 'type' and due.id = final_blow_ship_type_id
    where killmail_id = any($1) order by killmail_id
"""  # noqa: S608 - names of our own, here and below
# In the order of an `Attacker`, and of an `Item` behind what else there is to an item.
_ATTACKERS = """
    select killmail_id, damage_done, is_final_blow, security_status, character_id, corporation_id, alliance_id,
           faction_id, ship_type_id, weapon_type_id
    from public.attacker where killmail_id = any($1) order by killmail_id, ordinal
"""
_ITEMS = """
    select killmail_id, ordinal, parent_ordinal, unit_price_cents, price_rule,
           type_id, flag, singleton, quantity_dropped, quantity_destroyed
    from public.item where killmail_id = any($1) order by killmail_id, ordinal
"""
# The index begins with the code, so each group is looked up; `offset 0` keeps the planner from reading all instead.
_GROUPS = f"""
    with known as (select group_id from eve_group union select unnest(former_group_ids) from derive_due)
    select killmail_id, group_id
    from known cross join lateral (
        select killmail_id from public.killed_by
        where code = known.group_id::bigint << {KIND_BITS} | {EntityKind.SHIP_GROUP:d}
          and killmail_time between $2 and $3
        offset 0) side
    where killmail_id = any($1)
"""  # noqa: S608


@dataclass(frozen=True, slots=True)
class Old:
    """A killmail of the old tables: its new row, in the order of MOVED_COLUMNS, and what it is counted for."""

    killmail_time: datetime
    row: tuple[object, ...]
    named: Named
    stored: Mapping[str, Any]

    def add(self, rollup: Rollup) -> None:
        """Have the rollup count the killmail."""
        stored = self.stored
        rollup.add(
            stored["killmail_id"],
            self.killmail_time,
            stored["solar_system_id"],
            self.named,
            points=stored["points"],
            value_cents=stored["total_value_cents"],
            is_solo=stored["is_solo"],
            is_npc=stored["is_npc"],
        )


async def list_old(connection: Connection, killmail_ids: Collection[int]) -> list[Old]:
    """Return those of these killmails that the old tables have. The caller's transaction sees one moment.

    Raises Refused for one that the new tables cannot hold as it is.
    """
    ids = list(killmail_ids)
    stored = await connection.fetch(_KILLMAILS, ids)
    attackers = _by_killmail(await connection.fetch(_ATTACKERS, ids))
    items = _by_killmail(await connection.fetch(_ITEMS, ids))
    groups = await _groups_of(connection, stored)
    return [_old(one, attackers[one["killmail_id"]], items[one["killmail_id"]], groups) for one in stored]


def _by_killmail(rows: Iterable[Any]) -> defaultdict[int, list[Any]]:
    found: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        found[row[0]].append(row)
    return found


async def _groups_of(connection: Connection, stored: Iterable[Mapping[str, Any]]) -> Mapping[int, list[int]]:
    """Return the groups of hulls that each killmail is counted for on the killing side; read a day at a time."""
    days: defaultdict[object, list[Mapping[str, Any]]] = defaultdict(list)
    for one in stored:
        days[one["killmail_time"].date()].append(one)
    found: defaultdict[int, list[int]] = defaultdict(list)
    for of_day in days.values():
        times = [one["killmail_time"] for one in of_day]
        ids = [one["killmail_id"] for one in of_day]
        for killmail_id, group_id in await connection.fetch(_GROUPS, ids, min(times), max(times)):
            found[killmail_id].append(group_id)
    return found


def _old(stored: Mapping[str, Any], attackers: list[Any], items: list[Any], groups: Mapping[int, list[int]]) -> Old:
    killmail_id, at = stored["killmail_id"], stored["killmail_time"]
    _refuse_other_hash(stored)
    labels = stored["old_labels"]
    try:
        label_bits, category_id = pack_labels(labels)
    except Malformed as error:
        raise Refused(f"Killmail {killmail_id} cannot be moved: {error.reason}.") from error
    parties = tuple(Attacker(*row[1:]) for row in attackers)
    flat = [FlatItem(row[1], row[2], Item(*row[5:])) for row in items]
    made = {
        "ship_category_id": category_id,
        "labels": label_bits,
        "attackers": pack_attackers(parties),
        "items": pack_items(flat, [(row[3], row[4]) for row in items]),
    }
    mail = Killmail(
        killmail_id,
        at,
        stored["solar_system_id"],
        Victim(
            ship_type_id=stored["ship_type_id"],
            character_id=stored["victim_character_id"],
            corporation_id=stored["victim_corporation_id"],
            alliance_id=stored["victim_alliance_id"],
            faction_id=stored["victim_faction_id"],
        ),
        parties,
    )
    named = named_in(mail, stored["constellation_id"], stored["region_id"], {})
    if stored["ship_group_id"] is not None:
        named.victims.add(code_of(EntityKind.SHIP_GROUP, stored["ship_group_id"]))
    for group_id in groups.get(killmail_id, ()):
        code = code_of(EntityKind.SHIP_GROUP, group_id)
        named.killers.add(code)
        if group_id == stored["blow_group_id"]:
            named.final_blow.add(code)
    type_ids = [row.item.item_type_id for row in flat]
    add_marks(named, labels, type_ids, war_id=stored["war_id"], location_id=stored["location_id"])
    row = tuple(made[name] if name in made else stored[name] for name in MOVED_COLUMNS)
    return Old(at, row, named, stored)


def _refuse_other_hash(stored: Mapping[str, Any]) -> None:
    true_hash = hash_of(
        stored["victim_character_id"],
        stored["final_blow_character_id"],
        stored["ship_type_id"],
        stored["killmail_time"],
    )
    if stored["hash"] != true_hash:
        raise Refused(
            f"Killmail {stored['killmail_id']} cannot be moved: its hash {stored['hash'].hex()} is not that of its "
            f"contents ({true_hash.hex()}). The release that stored it can remove it: killreport killmail remove."
        )
