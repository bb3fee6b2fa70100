"""Derives stored killmails again, when the static data they were derived from is other than it was.

The same code that derived them when they came derives them now, from their rows and the universe of this moment. In one
transaction go the places and groups, points, flags and labels, the difference in the rollups, and the event that tells
subscribers that they changed. What a killmail is worth is
`killreport.killmail.writing.revalue`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.eve.universe import Universe
from killreport.killmail.mail.label_numbers import pack_labels, unpack_labels
from killreport.killmail.mail.model import Killmail
from killreport.killmail.mail.zkb import SOURCE_LABELS
from killreport.killmail.postings.changes import hold_days_of
from killreport.killmail.postings.codes import KIND_BITS, KIND_MASK
from killreport.killmail.rules.classify import classify
from killreport.killmail.rules.points import points
from killreport.killmail.stored.event import tell
from killreport.killmail.stored.named import Named, add_marks, named_in
from killreport.killmail.stored.queries import KillmailRow, get_killmails, list_attackers, list_items
from killreport.killmail.stored.remade import mail_of
from killreport.killmail.stored.rollup import Rollup
from killreport.killmail.writing.counted import counted_groups, list_counted
from killreport.killmail.writing.derive import final_blow_group, places_of
from killreport.killmail.writing.merge import merge_labels
from killreport.killmail.writing.revalue import REVALUE_LOCK

_UPDATE = """
    update killmail set constellation_id = $2, region_id = $3, ship_group_id = $4, final_blow_ship_group_id = $5,
           points = $6, is_npc = $7, is_solo = $8, is_awox = $9, labels = $10, ship_category_id = $11
    where killmail_id = $1
"""
_FINAL_BLOW_GROUPS = "select killmail_id, final_blow_ship_group_id from killmail where killmail_id = any($1)"


@dataclass(frozen=True, slots=True)
class _Rederived:
    """A stored killmail, and what is derived from it now. facts: as _UPDATE has them, without the labels of others."""

    row: KillmailRow
    mail: Killmail
    facts: tuple[Any, ...]
    named: Named
    item_type_ids: AbstractSet[int]


async def rederive(connection: Connection, mail_ids: Sequence[int], universe: Universe) -> list[int]:
    """Derive these killmails again, in the caller's transaction, and return those of which something changed.

    Ids that are not stored are left out. Idempotent. The caller holds the static data still (`hold_static`) and has
    the universe of then; what it locks after that is locked in the order of the writer.
    """
    await connection.execute("select pg_advisory_xact_lock($1)", REVALUE_LOCK)
    await hold_days_of(connection, mail_ids)
    changes = await _list_changes(connection, mail_ids, universe)
    if not changes:
        return []
    changed_ids = [change.mail.killmail_id for change in changes]
    rollup = Rollup()
    for counted in await list_counted(connection, changed_ids):
        counted.take_away(rollup)
    for change in changes:
        *_, score, is_npc, is_solo, _awox, labels = change.facts
        add_marks(
            change.named,
            _with_others(change.row.labels, labels),
            change.item_type_ids,
            war_id=change.row.war_id,
            location_id=change.row.location_id,
        )
        rollup.add(
            change.mail.killmail_id,
            change.mail.killmail_time,
            change.mail.solar_system_id,
            change.named,
            points=score,
            value_cents=change.row.total_value_cents,
            is_solo=is_solo,
            is_npc=is_npc,
        )
    await rollup.save_days(connection)
    await _save(connection, changes)
    await rollup.save_totals(connection)
    await tell(connection, [], changed_ids)
    return changed_ids


async def _list_changes(connection: Connection, mail_ids: Sequence[int], universe: Universe) -> list[_Rederived]:
    attackers, items = await list_attackers(connection, mail_ids), await list_items(connection, mail_ids)
    groups = await counted_groups(connection, mail_ids)
    blows = await connection.fetch(_FINAL_BLOW_GROUPS, list(mail_ids))
    blow_group: dict[int, int | None] = {row[0]: row[1] for row in blows}
    found = []
    for row in await get_killmails(connection, mail_ids):
        mail = mail_of(row, attackers[row.killmail_id], items[row.killmail_id])
        change = _change_of(row, blow_group[row.killmail_id], mail, groups[row.killmail_id].keys(), universe)
        if change is not None:
            types = {item.type_id for item in items[row.killmail_id]}
            found.append(_Rederived(row, mail, *change, types))
    return found


def _change_of(
    row: KillmailRow, blow_group: int | None, mail: Killmail, before: AbstractSet[int], universe: Universe
) -> tuple[tuple[Any, ...], Named] | None:
    """Return the facts that are derived from the killmail now and whom it names; None where it is as it is stored.

    blow_group: as stored. before: the groups of hulls that it is counted for on the killing side.
    """
    marks = classify(mail, universe, row.total_value_cents)
    places = places_of(mail, universe)
    facts = (
        *places,
        universe.group_id_of(mail.victim.ship_type_id),
        final_blow_group(mail, universe),
        points(mail, universe, marks.is_npc),
        marks.is_npc,
        marks.is_solo,
        marks.is_awox,
        marks.labels,
    )
    named = named_in(mail, *places, universe.types)
    now = {code >> KIND_BITS for code in named.killers if code & KIND_MASK == EntityKind.SHIP_GROUP}
    stored = (
        *(row.constellation_id, row.region_id, row.ship_group_id),
        facts[3] if blow_group is None else blow_group,  # an older release did not write it down
        *(row.points, row.is_npc, row.is_solo, row.is_awox, row.labels),
    )
    is_same = before == now and (*facts[:-1], _with_others(row.labels, marks.labels)) == stored
    return None if is_same else (facts, named)


def _with_others(stored: Sequence[str], labels: Sequence[str]) -> list[str]:
    """Return the labels of the mail with those that sources or other killmails gave it."""
    return merge_labels(labels, [label for label in stored if label in SOURCE_LABELS])


async def _save(connection: Connection, changes: Sequence[_Rederived]) -> None:
    locked = await connection.fetch(
        """select killmail_id, labels, ship_category_id from killmail where killmail_id = any($1)
           order by killmail_id for update""",
        [change.mail.killmail_id for change in changes],
    )
    # Others may have given it a label since it was read.
    labels = {killmail_id: unpack_labels(*packed) for killmail_id, *packed in locked}
    await connection.executemany(
        _UPDATE,
        [
            (mail_id, *change.facts[:-1], *pack_labels(_with_others(labels[mail_id], change.facts[-1])))
            for change in changes
            for mail_id in (change.mail.killmail_id,)
        ],
    )
