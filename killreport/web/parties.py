"""How a party to a kill is written: who, and for whom."""

from __future__ import annotations

from dataclasses import dataclass

from killreport.web.images import Images, Tile
from killreport.web.model import ApiAttacker, ApiCharacter, ApiCorporation, ApiNamed, ApiType, ApiVictim


@dataclass(frozen=True, slots=True)
class PartyLine:
    """A party in two lines: `name` and `group`, with a portrait or logo; `is_named` is false where an id stands in."""

    name: str
    group: str
    is_named: bool
    tile: Tile


def entity_name(kind: str, entity: ApiCharacter | ApiCorporation | ApiNamed) -> str:
    """Return the name, or kind and id where the name is not known yet: `Character 2112345678`."""
    return entity.name or f"{kind} {entity.id}"


def type_name(type_: ApiType) -> str:
    """Return the type's name, or its id where the static data does not know it."""
    return type_.name or f"Type {type_.id}"


def party_line(party: ApiVictim | ApiAttacker, images: Images, pixels: int) -> PartyLine:
    """Return how to write the party. Who has no character is named by its ship, corporation, alliance or faction."""
    group = _group(party)
    if party.character is not None:
        name = entity_name("Character", party.character)
        tile = images.tile("character", party.character.id, party.character.name, pixels)
        return PartyLine(name, group, party.character.name is not None, tile)
    if isinstance(party, ApiAttacker) and party.ship_type is not None and party.ship_type.name is not None:
        return PartyLine(party.ship_type.name, group, True, images.type_tile(party.ship_type, pixels))
    for kind, entity in (("Corporation", party.corporation), ("Alliance", party.alliance)):
        if entity is not None:
            name = entity_name(kind, entity)
            tile = images.tile("corporation" if kind == "Corporation" else "alliance", entity.id, entity.name, pixels)
            rest = "" if group == name else group
            return PartyLine(name, rest, entity.name is not None, tile)
    if party.faction is not None:
        name = entity_name("Faction", party.faction)
        return PartyLine(name, "", True, images.tile("corporation", party.faction.id, party.faction.name, pixels))
    return PartyLine("Unknown", "", False, images.tile("character", 1, None, pixels))


def _group(party: ApiVictim | ApiAttacker) -> str:
    """Return for whom the party flew, most telling first: alliance, else corporation, else faction."""
    if party.alliance is not None:
        alliance = entity_name("Alliance", party.alliance)
        if party.corporation is not None and party.corporation.ticker:
            return f"[{party.corporation.ticker}] {alliance}"
        return alliance
    if party.corporation is not None:
        return entity_name("Corporation", party.corporation)
    return "" if party.faction is None else entity_name("Faction", party.faction)
