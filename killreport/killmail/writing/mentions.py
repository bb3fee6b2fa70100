"""Who and what a killmail names that is to be asked for: unknown, or not refreshed for long."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import chain

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import StaleLimits, note_seen, note_types
from killreport.eve.ranges import is_faction, is_player_character, is_player_corporation
from killreport.eve.universe import Universe
from killreport.killmail.mail.model import Killmail
from killreport.killmail.postings.codes import ITEM_KIND, KIND_BITS, KIND_MASK, WEAPON_KIND
from killreport.killmail.writing.derive import Derived

_TYPES = (int(EntityKind.SHIP_TYPE), WEAPON_KIND, ITEM_KIND)
_IS_PLAYERS: dict[int, Callable[[int], bool]] = {
    int(EntityKind.CHARACTER): is_player_character,
    int(EntityKind.CORPORATION): is_player_corporation,
    int(EntityKind.ALLIANCE): lambda alliance_id: not is_faction(alliance_id),
}


async def note_entities(
    connection: Connection,
    mails: Sequence[Killmail],
    derived: Sequence[Derived],
    universe: Universe,
    limits: StaleLimits,
) -> None:
    """Note the players' entities and the types of these killmails that are unknown or stale, on the ledger.

    derived: of the same killmails. Who is gone, as far as ESI last told, and is on a younger killmail is to be asked
    for at once. NPC ids are static data, never asked from ESI. By kind and sorted: the order in which every writer
    locks.
    """
    seen: dict[int, dict[int, datetime]] = {kind: {} for kind in _IS_PLAYERS}
    type_ids: set[int] = set()
    for mail, rows in sorted(zip(mails, derived, strict=True), key=lambda pair: pair[0].killmail_time):
        named = rows.named
        for code in chain(named.victims, named.killers, named.marks):
            kind, entity_id = code & KIND_MASK, code >> KIND_BITS
            if kind in _TYPES:
                type_ids.add(entity_id)
            elif kind in seen and _IS_PLAYERS[kind](entity_id):
                seen[kind][entity_id] = mail.killmail_time
    for kind, seen_at in seen.items():
        if seen_at:
            of = EntityKind(kind)
            await note_seen(connection, of, sorted(seen_at), limits.of(of), seen_at=seen_at)
    unknown = type_ids - universe.types.keys()
    if unknown:
        await note_types(connection, sorted(unknown))
