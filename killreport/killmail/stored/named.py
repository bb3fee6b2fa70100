"""Who and what a killmail names, and in which role: what is counted, listed and asked for follows from it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from killreport.entity.kind import EntityKind
from killreport.eve.universe import Type
from killreport.killmail.mail.label_numbers import CATEGORY, label_number
from killreport.killmail.mail.model import Attacker, Killmail, Victim
from killreport.killmail.postings.codes import (
    CATEGORY_KIND,
    EVERYTHING,
    ITEM_KIND,
    KIND_BITS,
    LABEL_KIND,
    LOCATION_KIND,
    WAR_KIND,
    WEAPON_KIND,
    code_of,
)

# Plain numbers: an enumeration's members cost three times as much in the hot loop below.
_CHARACTER = int(EntityKind.CHARACTER)
_CORPORATION = int(EntityKind.CORPORATION)
_ALLIANCE = int(EntityKind.ALLIANCE)
_FACTION = int(EntityKind.FACTION)
_SHIP_TYPE = int(EntityKind.SHIP_TYPE)
_SHIP_GROUP = int(EntityKind.SHIP_GROUP)


@dataclass(slots=True)
class Named:
    """The codes of a killmail by their roles, none twice; those of the final blow are among the killers.

    marks: what killmails are found by, but nobody is counted for: weapons, items, labels, the war, the location.
    """

    victims: set[int]
    killers: set[int]
    final_blow: set[int]
    places: set[int]
    marks: set[int] = field(default_factory=set)


def named_in(mail: Killmail, constellation_id: int | None, region_id: int | None, types: Mapping[int, Type]) -> Named:
    """Return what the killmail names. constellation_id, region_id: where its system lies, None where unknown.

    types: those whose group is named with them.
    """
    killers: set[int] = set()
    final_blow: set[int] = set()
    marks = {EVERYTHING}
    for attacker in mail.attackers:
        codes = _codes(attacker, types)
        killers.update(codes)
        if attacker.final_blow:
            final_blow.update(codes)
        if attacker.weapon_type_id is not None:
            marks.add(attacker.weapon_type_id << KIND_BITS | WEAPON_KIND)
    places = {code_of(EntityKind.SOLAR_SYSTEM, mail.solar_system_id)}
    if constellation_id is not None:
        places.add(code_of(EntityKind.CONSTELLATION, constellation_id))
    if region_id is not None:
        places.add(code_of(EntityKind.REGION, region_id))
    return Named(set(_codes(mail.victim, types)), killers, final_blow, places, marks)


def add_marks(
    named: Named,
    labels: Iterable[str],
    item_type_ids: Iterable[int],
    *,
    war_id: int | None,
    location_id: int | None,
) -> None:
    """Add to what a killmail names what is not told by its parties and places."""
    named.marks.update(marks_of_labels(labels))
    named.marks.update(type_id << KIND_BITS | ITEM_KIND for type_id in item_type_ids)
    if war_id is not None:
        named.marks.add(code_of(WAR_KIND, war_id))
    if location_id is not None:
        named.marks.add(code_of(LOCATION_KIND, location_id))


def marks_of_labels(labels: Iterable[str]) -> Iterator[int]:
    """Yield the codes of labels."""
    for label in labels:
        if label.startswith(CATEGORY):
            yield code_of(CATEGORY_KIND, int(label[len(CATEGORY) :]))
        else:
            yield code_of(LABEL_KIND, label_number(label))


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
