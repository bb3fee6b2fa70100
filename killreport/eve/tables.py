"""Which official file fills which table, and how a line becomes a row. The order of the columns is here alone."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from killreport.errors import Malformed
from killreport.eve.archive import Archive
from killreport.eve.official import (
    BlueprintActivity,
    BlueprintLine,
    CategoryLine,
    ConstellationLine,
    FactionLine,
    GroupLine,
    MarketGroupLine,
    NamedLine,
    NpcCorporationLine,
    RegionLine,
    SolarSystemLine,
    TypeDogmaLine,
    TypeLine,
)

Row = tuple[Any, ...]

# Ids of CCP's dogma. Source: dogmaAttributes and dogmaEffects of the static data, build 3650286.
RIG_SIZE, META_LEVEL, HEAT_DAMAGE = 1547, 633, 1211
HIGH_SLOTS, MID_SLOTS, LOW_SLOTS, RIG_SLOTS = 14, 13, 12, 1137
# What a subsystem adds to the slots of its hull, which has none of its own.
HIGH_SLOT_MODIFIER, MID_SLOT_MODIFIER, LOW_SLOT_MODIFIER = 1374, 1375, 1376
SLOT_MODIFIERS = {HIGH_SLOTS: HIGH_SLOT_MODIFIER, MID_SLOTS: MID_SLOT_MODIFIER, LOW_SLOTS: LOW_SLOT_MODIFIER}
SERVICE_SLOTS, SQUADRON_SIZE = 2056, 2215
ATTRIBUTES = frozenset(
    {
        *(RIG_SIZE, META_LEVEL, HEAT_DAMAGE, RIG_SLOTS, SERVICE_SLOTS, SQUADRON_SIZE),
        *SLOT_MODIFIERS,
        *SLOT_MODIFIERS.values(),
    }
)
SLOT_OF_EFFECT: Mapping[int, str] = {
    11: "low",
    12: "high",
    13: "mid",
    2663: "rig",
    3772: "subsystem",
    6306: "service",
}

TYPES, TYPE_DOGMA, GROUPS = "types.jsonl", "typeDogma.jsonl", "groups.jsonl"
# An archive may lack it: the packaged one does.
BLUEPRINTS = "blueprints.jsonl"
TYPE_COLUMNS = (
    *("type_id", "name", "group_id", "category_id", "is_published", "market_group_id", "meta_group_id", "base_price"),
    *("rig_size", "meta_level", "is_overheatable", "slot", "high_slots", "mid_slots", "low_slots", "rig_slots"),
    *("service_slots", "squadron_size"),
    "portion_size",
)
BLUEPRINT_COLUMNS = (
    *("blueprint_id", "product_id", "product_quantity", "is_reaction", "material_ids", "material_quantities"),
)


@dataclass(frozen=True)
class TableSource:
    """A table whose rows are the lines of one file, one to one; the line's key is the first column."""

    file: str
    table: str
    line: type[Any]
    columns: tuple[str, ...]
    fields: Callable[[Any], Row]


TABLES: tuple[TableSource, ...] = (
    TableSource(
        "categories.jsonl",
        "eve_category",
        CategoryLine,
        ("category_id", "name", "is_published"),
        lambda line: (line.key, line.name.en, line.published),
    ),
    TableSource(
        GROUPS,
        "eve_group",
        GroupLine,
        ("group_id", "name", "category_id", "is_published"),
        lambda line: (line.key, line.name.en, line.category_id, line.published),
    ),
    TableSource(
        "marketGroups.jsonl",
        "eve_market_group",
        MarketGroupLine,
        ("market_group_id", "name", "parent_market_group_id"),
        lambda line: (line.key, line.name.en, line.parent_group_id),
    ),
    TableSource(
        "metaGroups.jsonl",
        "eve_meta_group",
        NamedLine,
        ("meta_group_id", "name"),
        lambda line: (line.key, line.name.en),
    ),
    TableSource(
        "mapRegions.jsonl",
        "eve_region",
        RegionLine,
        ("region_id", "name", "faction_id", "wormhole_class_id"),
        lambda line: (line.key, line.name.en, line.faction_id, line.wormhole_class_id),
    ),
    TableSource(
        "mapConstellations.jsonl",
        "eve_constellation",
        ConstellationLine,
        ("constellation_id", "name", "region_id", "faction_id", "wormhole_class_id"),
        lambda line: (line.key, line.name.en, line.region_id, line.faction_id, line.wormhole_class_id),
    ),
    TableSource(
        "mapSolarSystems.jsonl",
        "eve_system",
        SolarSystemLine,
        (
            *("solar_system_id", "name", "constellation_id", "region_id"),
            *("security_status", "faction_id", "wormhole_class_id"),
        ),
        lambda line: (
            *(line.key, line.name.en, line.constellation_id, line.region_id),
            *(line.security_status, line.faction_id, line.wormhole_class_id),
        ),
    ),
    TableSource(
        "factions.jsonl",
        "eve_faction",
        FactionLine,
        ("faction_id", "name", "corporation_id", "militia_corporation_id"),
        lambda line: (line.key, line.name.en, line.corporation_id, line.militia_corporation_id),
    ),
    TableSource(
        "npcCorporations.jsonl",
        "eve_corporation",
        NpcCorporationLine,
        ("corporation_id", "name", "ticker", "faction_id"),
        lambda line: (line.key, line.name.en, line.ticker_name, line.faction_id),
    ),
)

FILES = (*(source.file for source in TABLES), TYPES, TYPE_DOGMA)


def read_rows(archive: Archive, source: TableSource) -> list[Row]:
    """Return the rows of the table, in the order of the file. Raises Malformed."""
    fields = source.fields
    rows: dict[int, Row] = {}
    for number, line in archive.parse(source.file, source.line):
        _refuse_repeated(line.key, rows, source.file, number)
        rows[line.key] = fields(line)
    return list(rows.values())


def read_types(archive: Archive, category_of_group: Mapping[int, int]) -> list[Row]:
    """Return the rows of eve_type, unpublished types too, in TYPE_COLUMNS' order. Raises Malformed."""
    dogma = _read_dogma(archive)
    bare: Row = _dogma_columns((), ())
    rows: dict[int, Row] = {}
    for number, line in archive.parse(TYPES, TypeLine):
        _refuse_repeated(line.key, rows, TYPES, number)
        category_id = category_of_group.get(line.group_id)
        if category_id is None:
            raise Malformed(f"group {line.group_id} is not in {GROUPS}", f"{TYPES} line {number}")
        rows[line.key] = (
            *(line.key, line.name.en, line.group_id, category_id, line.published),
            *(line.market_group_id, line.meta_group_id, line.base_price),
            *dogma.get(line.key, bare),
            line.portion_size,
        )
    return list(rows.values())


def read_blueprints(archive: Archive) -> list[Row]:
    """Return the rows of eve_blueprint, in BLUEPRINT_COLUMNS' order: what makes nothing has none. Raises Malformed.

    An archive without the file has no rows.
    """
    rows: dict[int, Row] = {}
    if not archive.has(BLUEPRINTS):
        return []
    archive.require((BLUEPRINTS,))
    for number, line in archive.parse(BLUEPRINTS, BlueprintLine):
        _refuse_repeated(line.key, rows, BLUEPRINTS, number)
        made = _blueprint_row(line.key, line.activities.manufacturing, is_reaction=False)
        rows[line.key] = made or _blueprint_row(line.key, line.activities.reaction, is_reaction=True)
    return [row for row in rows.values() if row]


def _blueprint_row(key: int, activity: BlueprintActivity | None, *, is_reaction: bool) -> Row:
    """Return the row of an activity that makes one type out of others; () for any other."""
    if activity is None or len(activity.products) != 1 or not activity.materials:
        return ()
    product, materials = activity.products[0], activity.materials
    if not all(row.quantity for row in (product, *materials)):
        return ()
    return (
        *(key, product.type_id, product.quantity, is_reaction),
        [material.type_id for material in materials],
        [material.quantity for material in materials],
    )


def _read_dogma(archive: Archive) -> dict[int, Row]:
    found: dict[int, Row] = {}
    for number, line in archive.parse(TYPE_DOGMA, TypeDogmaLine):
        _refuse_repeated(line.key, found, TYPE_DOGMA, number)
        attributes = [(row.attribute_id, row.value) for row in line.dogma_attributes if row.attribute_id in ATTRIBUTES]
        if any(not _least(attribute_id) <= value < 2**15 for attribute_id, value in attributes):
            raise Malformed("A slot count, size, level or heat damage is out of range", f"{TYPE_DOGMA} line {number}")
        found[line.key] = _dogma_columns(attributes, (effect.effect_id for effect in line.dogma_effects))
    return found


def _least(attribute_id: int) -> int:
    """Return the least value: a subsystem may take slots away."""
    return -(2**15) if attribute_id in SLOT_MODIFIERS.values() else 0


def _dogma_columns(attributes: Iterable[tuple[int, float]], effects: Iterable[int]) -> Row:
    value_of = {attribute_id: math.floor(value) for attribute_id, value in attributes}
    slot = next((SLOT_OF_EFFECT[effect] for effect in effects if effect in SLOT_OF_EFFECT), None)
    return (
        *(value_of.get(RIG_SIZE), value_of.get(META_LEVEL), HEAT_DAMAGE in value_of, slot),
        *(value_of.get(slots, value_of.get(modifier)) for slots, modifier in SLOT_MODIFIERS.items()),
        *(value_of.get(attribute_id) for attribute_id in (RIG_SLOTS, SERVICE_SLOTS, SQUADRON_SIZE)),
    )


def _refuse_repeated(key: int, seen: Mapping[int, object], file: str, number: int) -> None:
    if key in seen:
        raise Malformed(f"The key {key} appears a second time", f"{file} line {number}")
