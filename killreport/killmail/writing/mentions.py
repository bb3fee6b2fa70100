"""Who and what a killmail names that is to be asked for: unknown, or not refreshed for long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import StaleLimits, note_seen, note_types
from killreport.eve.ranges import is_faction, is_player_character, is_player_corporation
from killreport.eve.universe import Universe
from killreport.killmail.mail.model import Attacker, Item, Killmail, Victim


async def note_entities(
    connection: Connection, mails: Sequence[Killmail], universe: Universe, limits: StaleLimits
) -> None:
    """Note the players' entities and the types of these killmails that are unknown or stale, on the ledger.

    Who is gone, as far as ESI last told, and is on a younger killmail is to be asked for at once.

    NPC ids are static data, never asked from ESI. By kind and sorted: the order in which every writer locks.
    """
    seen: dict[EntityKind, dict[int, datetime]] = {
        EntityKind.CHARACTER: {},
        EntityKind.CORPORATION: {},
        EntityKind.ALLIANCE: {},
    }
    type_ids: set[int] = set()
    for mail in sorted(mails, key=_time_of):
        parties: list[Victim | Attacker] = [mail.victim, *mail.attackers]
        for party in parties:
            if is_player_character(party.character_id):
                seen[EntityKind.CHARACTER][party.character_id or 0] = mail.killmail_time
            if is_player_corporation(party.corporation_id):
                seen[EntityKind.CORPORATION][party.corporation_id or 0] = mail.killmail_time
            if party.alliance_id is not None and not is_faction(party.alliance_id):
                seen[EntityKind.ALLIANCE][party.alliance_id] = mail.killmail_time
        type_ids.update(_types_of(mail))
    for kind, seen_at in seen.items():
        if seen_at:
            await note_seen(connection, kind, sorted(seen_at), limits.of(kind), seen_at=seen_at)
    unknown = type_ids - universe.types.keys()
    if unknown:
        await note_types(connection, sorted(unknown))


def _time_of(mail: Killmail) -> datetime:
    return mail.killmail_time


def _types_of(mail: Killmail) -> Iterable[int]:
    yield mail.victim.ship_type_id
    yield from _item_types(mail.victim.items or ())
    for attacker in mail.attackers:
        if attacker.ship_type_id is not None:
            yield attacker.ship_type_id
        if attacker.weapon_type_id is not None:
            yield attacker.weapon_type_id


def _item_types(items: Sequence[Item]) -> Iterable[int]:
    for item in items:
        yield item.item_type_id
        if item.items:
            yield from _item_types(item.items)
