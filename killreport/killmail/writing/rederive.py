"""Derives stored killmails again, when the static data they were derived from is other than it was.

The same code that derived them when they came derives them now, from their rows and the universe of this moment. In one
transaction go the places and groups, points, flags and labels, the index of who killed, the difference in the rollups,
and the event that tells subscribers that they changed. What a killmail is worth is
`killreport.killmail.writing.revalue`'s.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.eve.universe import Universe
from killreport.killmail.mail.arrival import SOURCE_LABELS
from killreport.killmail.mail.model import Attacker, Item, Killmail, Victim
from killreport.killmail.rules.classify import classify
from killreport.killmail.rules.points import points
from killreport.killmail.stored.event import tell
from killreport.killmail.stored.rollup import KIND_BITS, KIND_MASK, Rollup, code_of
from killreport.killmail.writing.counted import counted_groups, removal_of
from killreport.killmail.writing.derive import Derived, count, final_blow_group, killer_codes
from killreport.killmail.writing.merge import merge_labels
from killreport.killmail.writing.revalue import REVALUE_LOCK

_MAILS = """
    select killmail_id, killmail_time, solar_system_id, constellation_id, region_id, victim_character_id,
           victim_corporation_id, victim_alliance_id, victim_faction_id, ship_type_id, ship_group_id,
           final_blow_ship_group_id, total_value_cents, points, is_npc, is_solo, is_awox, labels
    from killmail where killmail_id = any($1) order by killmail_id
"""
_ATTACKERS = """
    select killmail_id, is_final_blow, character_id, corporation_id, alliance_id, faction_id, ship_type_id
    from attacker where killmail_id = any($1) order by killmail_id, ordinal
"""
# What was in a container counts for nothing but its price.
_ITEMS = """
    select killmail_id, type_id, flag, singleton, quantity_dropped, quantity_destroyed
    from item where killmail_id = any($1) and parent_ordinal is null order by killmail_id, ordinal
"""
_UPDATE = """
    update killmail set constellation_id = $2, region_id = $3, ship_group_id = $4, final_blow_ship_group_id = $5,
           points = $6, is_npc = $7, is_solo = $8, is_awox = $9, labels = $10
    where killmail_id = $1
"""
_COLUMNS = (
    "constellation_id", "region_id", "ship_group_id", "final_blow_ship_group_id", "points", "is_npc", "is_solo",
    "is_awox", "labels",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Change:
    """A stored killmail, and what is derived from it now. facts: as _COLUMNS, without the labels of others."""

    row: Any
    mail: Killmail
    facts: tuple[Any, ...]
    killers: set[int]
    lost_groups: set[int]
    new_groups: set[int]


async def rederive(connection: Connection, mail_ids: Sequence[int], universe: Universe) -> list[int]:
    """Derive these killmails again, in the caller's transaction, and return those of which something changed.

    Ids that are not stored are left out. Idempotent. The caller holds the static data still (`hold_static`) and has
    the universe of then; what it locks after that is locked in the order of the writer.
    """
    await connection.execute("select pg_advisory_xact_lock($1)", REVALUE_LOCK)
    changes = await _list_changes(connection, mail_ids, universe)
    if not changes:
        return []
    changed_ids = [change.mail.killmail_id for change in changes]
    rollup = await removal_of(connection, changed_ids)
    _add(rollup, changes, universe)
    await rollup.save_days(connection)
    await _save(connection, changes)
    await rollup.save_totals(connection)
    await tell(connection, [], changed_ids)
    return changed_ids


async def _list_changes(connection: Connection, mail_ids: Sequence[int], universe: Universe) -> list[_Change]:
    attackers: dict[int, list[Any]] = defaultdict(list)
    for row in await connection.fetch(_ATTACKERS, list(mail_ids)):
        attackers[row["killmail_id"]].append(row)
    items: dict[int, list[Any]] = defaultdict(list)
    for row in await connection.fetch(_ITEMS, list(mail_ids)):
        items[row["killmail_id"]].append(row)
    groups = await counted_groups(connection, mail_ids)
    found = []
    for row in await connection.fetch(_MAILS, list(mail_ids)):
        mail_id = row["killmail_id"]
        change = _change_of(row, _mail_of(row, attackers[mail_id], items[mail_id]), groups, universe)
        if change is not None:
            found.append(change)
    return found


def _change_of(row: Any, mail: Killmail, groups: Mapping[int, set[int]], universe: Universe) -> _Change | None:
    """Return what is derived from the killmail now, None where it is as it is stored."""
    marks = classify(mail, universe, row["total_value_cents"])
    system = universe.systems.get(mail.solar_system_id)
    facts = (
        system.constellation_id if system else None,
        system.region_id if system else None,
        universe.group_id_of(mail.victim.ship_type_id),
        final_blow_group(mail, universe),
        points(mail, universe, marks.is_npc),
        marks.is_npc,
        marks.is_solo,
        marks.is_awox,
        marks.labels,
    )
    killers = killer_codes(mail, universe)
    before = groups.get(mail.killmail_id, set())
    now = {code >> KIND_BITS for code in killers if code & KIND_MASK == EntityKind.SHIP_GROUP}
    stored = [row[name] for name in _COLUMNS]
    stored[3] = facts[3] if stored[3] is None else stored[3]  # an older release did not write it down
    is_same = before == now and [*facts[:-1], _with_others(row["labels"], marks.labels)] == stored
    return None if is_same else _Change(row, mail, facts, killers, before - now, now - before)


def _mail_of(row: Any, attackers: Sequence[Any], items: Sequence[Any]) -> Killmail:
    """Return of the killmail all that anything is derived from, but what is in containers."""
    victim = Victim(
        ship_type_id=row["ship_type_id"],
        character_id=row["victim_character_id"],
        corporation_id=row["victim_corporation_id"],
        alliance_id=row["victim_alliance_id"],
        faction_id=row["victim_faction_id"],
        items=tuple(
            Item(i["type_id"], i["flag"], i["singleton"], i["quantity_dropped"], i["quantity_destroyed"]) for i in items
        ),
    )
    parties = tuple(
        Attacker(
            final_blow=a["is_final_blow"],
            character_id=a["character_id"],
            corporation_id=a["corporation_id"],
            alliance_id=a["alliance_id"],
            faction_id=a["faction_id"],
            ship_type_id=a["ship_type_id"],
        )
        for a in attackers
    )
    return Killmail(row["killmail_id"], row["killmail_time"], row["solar_system_id"], victim, parties)


def _with_others(stored: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return the labels of the mail with those that sources or other killmails gave it."""
    return merge_labels(labels, [label for label in stored if label in SOURCE_LABELS])


def _add(rollup: Rollup, changes: Sequence[_Change], universe: Universe) -> None:
    for change in changes:
        mail_id, value, (*_, score, is_npc, is_solo, _awox, _labels) = (
            change.mail.killmail_id,
            change.row["total_value_cents"],
            change.facts,
        )
        derived = Derived(mail_id, (), change.killers, [], [], [], score, value, is_npc, is_solo, is_history=False)
        count(rollup, change.mail, derived, universe)


async def _save(connection: Connection, changes: Sequence[_Change]) -> None:
    locked = await connection.fetch(
        "select killmail_id, labels from killmail where killmail_id = any($1) order by killmail_id for update",
        [change.mail.killmail_id for change in changes],
    )
    # Others may have given it a label since it was read.
    labels = {row["killmail_id"]: row["labels"] for row in locked}
    await connection.executemany(
        _UPDATE,
        [
            (mail_id, *change.facts[:-1], _with_others(labels[mail_id], change.facts[-1]))
            for change in changes
            for mail_id in (change.mail.killmail_id,)
        ],
    )
    group_codes = {
        "delete from killed_by where code = $1 and killmail_time = $2 and killmail_id = $3": [
            (change, group_id) for change in changes for group_id in sorted(change.lost_groups)
        ],
        "insert into killed_by (code, killmail_time, killmail_id) values ($1, $2, $3)": [
            (change, group_id) for change in changes for group_id in sorted(change.new_groups)
        ],
    }
    for statement, found in group_codes.items():
        await connection.executemany(
            statement,
            [
                (code_of(EntityKind.SHIP_GROUP, group_id), change.mail.killmail_time, change.mail.killmail_id)
                for change, group_id in found
            ],
        )
