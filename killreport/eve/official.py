"""CCP's official static data: a zip of JSON Lines files, and the fields the product keeps of them.

One object a line, `_key` is its id, names are `{"en": ...}` and other languages. Fields not named here are ignored, so
that a new field of CCP's breaks nothing. Source: https://developers.eveonline.com/docs/services/static-data/
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from killreport.ids import MAX_ENTITY_ID

Id = Annotated[int, msgspec.Meta(ge=0, le=MAX_ENTITY_ID)]
Count = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]
# PostgreSQL's text cannot hold NUL.
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$")]


def official_name(field: str) -> str:
    """Return CCP's spelling of a field: `group_id` is `groupID`, `base_price` is `basePrice`, `key` is `_key`."""
    if field == "key":
        return "_key"
    first, *others = field.split("_")
    return first + "".join("ID" if word == "id" else word.capitalize() for word in others)


class Name(msgspec.Struct, frozen=True, gc=False):
    """A text by language; the product shows English."""

    en: Text


class ReleaseLine(msgspec.Struct, frozen=True, gc=False, rename=official_name):
    """`_sde.jsonl`, and a line of `tranquility/latest.jsonl`: which build is meant; this one's `_key` is `sde`."""

    key: str
    build_number: Id
    release_date: datetime


class OfficialLine(msgspec.Struct, frozen=True, gc=False, kw_only=True, rename=official_name):
    """What every other line has."""

    key: Id


class NamedLine(OfficialLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line with a name; as it is, one of `metaGroups.jsonl`."""

    name: Name


class CategoryLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `categories.jsonl`."""

    published: bool = False


class GroupLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `groups.jsonl`."""

    category_id: Id
    published: bool = False


class MarketGroupLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `marketGroups.jsonl`."""

    parent_group_id: Id | None = None


class TypeLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `types.jsonl`; the price is ISK for as many units as a portion has."""

    group_id: Id
    published: bool = False
    market_group_id: Id | None = None
    meta_group_id: Id | None = None
    base_price: Annotated[float, msgspec.Meta(ge=0, le=1e15)] | None = None
    portion_size: Count = 1


class DogmaAttribute(msgspec.Struct, frozen=True, gc=False, rename=official_name):
    """One attribute of a type."""

    attribute_id: Id
    value: float


class DogmaEffect(msgspec.Struct, frozen=True, gc=False, rename=official_name):
    """One effect of a type."""

    effect_id: int


class TypeDogmaLine(OfficialLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `typeDogma.jsonl`; its key is the type's id."""

    dogma_attributes: tuple[DogmaAttribute, ...] = ()
    dogma_effects: tuple[DogmaEffect, ...] = ()


class Quantity(msgspec.Struct, frozen=True, gc=False, rename=official_name):
    """So many of a type: what a run of a blueprint takes, or gives."""

    type_id: Id
    quantity: Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]


Quantities = Annotated[tuple[Quantity, ...], msgspec.Meta(max_length=1000)]


class BlueprintActivity(msgspec.Struct, frozen=True, gc=False, rename=official_name):
    """What can be done with a blueprint; a run of it."""

    materials: Quantities = ()
    products: Quantities = ()


class Activities(msgspec.Struct, frozen=True, gc=False, rename=official_name):
    """The activities that make something; copying, research and invention are left out."""

    manufacturing: BlueprintActivity | None = None
    reaction: BlueprintActivity | None = None


class BlueprintLine(OfficialLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `blueprints.jsonl`; its key is the blueprint's type id."""

    activities: Activities = Activities()


class RegionLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `mapRegions.jsonl`."""

    faction_id: Id | None = None
    wormhole_class_id: Annotated[int, msgspec.Meta(ge=0, le=2**15 - 1)] | None = None


class ConstellationLine(RegionLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `mapConstellations.jsonl`."""

    region_id: Id


class SolarSystemLine(ConstellationLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `mapSolarSystems.jsonl`; the security is unrounded."""

    constellation_id: Id
    security_status: Annotated[float, msgspec.Meta(ge=-1.0, le=1.0)]


class FactionLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `factions.jsonl`."""

    corporation_id: Id | None = None
    militia_corporation_id: Id | None = None


class NpcCorporationLine(NamedLine, frozen=True, gc=False, kw_only=True, rename=official_name):
    """A line of `npcCorporations.jsonl`."""

    ticker_name: Text = ""
    faction_id: Id | None = None
