"""Who and what a killmail names, and in which role: what is counted, listed and asked for follows from it.

Each goes by its code: one number is hashed faster than a pair, and a batch has a hundred thousand.

`killed_by` has one narrow row for a killmail and everything on the killing side. It repeats the time, so that the
newest kills of an alliance are read off one index in their exact order, and names an alliance once a killmail, however
many of its pilots took part. The victim's side needs none of this: it is in the killmail's own row. Measured against
indexes on `attacker` in `docs/decisions/0009-killmail-lists.md`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from killreport.entity.kind import EntityKind
from killreport.eve.universe import Type
from killreport.killmail.mail.model import Attacker, Killmail, Victim

KIND_BITS = 4
KIND_MASK = (1 << KIND_BITS) - 1
# The last number that KIND_BITS can hold: weapons are listed, but not counted, so they are no EntityKind.
WEAPON_KIND = (1 << KIND_BITS) - 1

KILLED_BY_COLUMNS = ("code", "killmail_time", "killmail_id")

# Plain numbers: an enumeration's members cost three times as much in the hot loop below.
_CHARACTER = int(EntityKind.CHARACTER)
_CORPORATION = int(EntityKind.CORPORATION)
_ALLIANCE = int(EntityKind.ALLIANCE)
_FACTION = int(EntityKind.FACTION)
_SHIP_TYPE = int(EntityKind.SHIP_TYPE)
_SHIP_GROUP = int(EntityKind.SHIP_GROUP)


def code_of(kind: int, entity_id: int) -> int:
    """Return one number for an entity; ids of different kinds may be equal, codes never are."""
    return entity_id << KIND_BITS | kind


@dataclass(slots=True)
class Named:
    """The codes of a killmail by their roles, none twice; those of the final blow are among the killers.

    weapons: on the killing side, which are no killers.
    """

    victims: set[int]
    killers: set[int]
    final_blow: set[int]
    places: set[int]
    weapons: set[int]


def named_in(mail: Killmail, constellation_id: int | None, region_id: int | None, types: Mapping[int, Type]) -> Named:
    """Return what the killmail names. constellation_id, region_id: where its system lies, None where unknown.

    types: those whose group is named with them.
    """
    killers: set[int] = set()
    final_blow: set[int] = set()
    weapons: set[int] = set()
    for attacker in mail.attackers:
        codes = _codes(attacker, types)
        killers.update(codes)
        if attacker.final_blow:
            final_blow.update(codes)
        if attacker.weapon_type_id is not None:
            weapons.add(attacker.weapon_type_id << KIND_BITS | WEAPON_KIND)
    places = {code_of(EntityKind.SOLAR_SYSTEM, mail.solar_system_id)}
    if constellation_id is not None:
        places.add(code_of(EntityKind.CONSTELLATION, constellation_id))
    if region_id is not None:
        places.add(code_of(EntityKind.REGION, region_id))
    return Named(set(_codes(mail.victim, types)), killers, final_blow, places, weapons)


def _codes(party: Victim | Attacker, types: Mapping[int, Type]) -> list[int]:
    """Return the codes of everything that took part on one side: who, under which flags, in what hull."""
    codes = []
    if party.character_id is not None:
        codes.append(party.character_id << KIND_BITS | _CHARACTER)
    if party.corporation_id is not None:
        codes.append(party.corporation_id << KIND_BITS | _CORPORATION)
    if party.alliance_id is not None:
        codes.append(party.alliance_id << KIND_BITS | _ALLIANCE)
    if party.faction_id is not None:
        codes.append(party.faction_id << KIND_BITS | _FACTION)
    if party.ship_type_id is not None:
        codes.append(party.ship_type_id << KIND_BITS | _SHIP_TYPE)
        ship = types.get(party.ship_type_id)
        if ship is not None:
            codes.append(ship.group_id << KIND_BITS | _SHIP_GROUP)
    return codes
