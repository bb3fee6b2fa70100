"""Who and what a killmail names that is to be asked for: unknown, or not refreshed for long."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.ledger import StaleLimits, note_seen, note_types
from killreport.eve.ranges import is_faction, is_player_character, is_player_corporation
from killreport.eve.universe import Universe
from killreport.killmail.model import Attacker, Item, Killmail, Victim


async def note_entities(
    connection: Connection, mails: Sequence[Killmail], universe: Universe, limits: StaleLimits
) -> None:
    """Note the players' entities and the types of these killmails that are unknown or stale, on the ledger.

    NPC ids are static data, never asked from ESI. By kind and sorted: the order in which every writer locks.
    """
    ids: dict[EntityKind, set[int]] = {
        EntityKind.CHARACTER: set(),
        EntityKind.CORPORATION: set(),
        EntityKind.ALLIANCE: set(),
    }
    type_ids: set[int] = set()
    for mail in mails:
        parties: list[Victim | Attacker] = [mail.victim, *mail.attackers]
        for party in parties:
            if is_player_character(party.character_id):
                ids[EntityKind.CHARACTER].add(party.character_id or 0)
            if is_player_corporation(party.corporation_id):
                ids[EntityKind.CORPORATION].add(party.corporation_id or 0)
            if party.alliance_id is not None and not is_faction(party.alliance_id):
                ids[EntityKind.ALLIANCE].add(party.alliance_id)
        type_ids.update(_types_of(mail))
    for kind, seen in ids.items():
        if seen:
            await note_seen(connection, kind, sorted(seen), limits.of(kind))
    unknown = type_ids - universe.types.keys()
    if unknown:
        await note_types(connection, sorted(unknown))


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
