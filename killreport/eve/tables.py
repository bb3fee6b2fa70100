"""Which official file fills which table, and how a line becomes a row. The columns are the fields in `universe`."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from operator import attrgetter
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
from killreport.eve.universe import (
    Category,
    Constellation,
    Faction,
    Group,
    MarketGroup,
    MetaGroup,
    NpcCorporation,
    Region,
    SolarSystem,
    Type,
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
BLUEPRINT_COLUMNS = (
    *("blueprint_id", "product_id", "product_quantity", "is_reaction", "material_ids", "material_quantities"),
)


# Where a column is called otherwise than the field of CCP's that it holds.
_FIELDS = {
    "name": "name.en",
    "is_published": "published",
    "parent_market_group_id": "parent_group_id",
    "ticker": "ticker_name",
}


@dataclass(frozen=True)
class TableSource:
    """A table whose rows are the lines of one file, one to one; the line's key is the first column.

    part: of the `Universe`, which holds the rows as objects of `row`, whose fields are the columns.
    """

    file: str
    table: str
    part: str
    line: type[Any]
    row: type[Any]

    @property
    def columns(self) -> tuple[str, ...]:
        return columns_of(self.row)


def columns_of(row: type[Any]) -> tuple[str, ...]:
    """Return the columns of a table, which are the fields of its rows' objects in their order."""
    return tuple(row.__dataclass_fields__)


TABLES: tuple[TableSource, ...] = (
    TableSource("categories.jsonl", "eve_category", "categories", CategoryLine, Category),
    TableSource(GROUPS, "eve_group", "groups", GroupLine, Group),
    TableSource("marketGroups.jsonl", "eve_market_group", "market_groups", MarketGroupLine, MarketGroup),
    TableSource("metaGroups.jsonl", "eve_meta_group", "meta_groups", NamedLine, MetaGroup),
    TableSource("mapRegions.jsonl", "eve_region", "regions", RegionLine, Region),
    TableSource("mapConstellations.jsonl", "eve_constellation", "constellations", ConstellationLine, Constellation),
    TableSource("mapSolarSystems.jsonl", "eve_system", "systems", SolarSystemLine, SolarSystem),
    TableSource("factions.jsonl", "eve_faction", "factions", FactionLine, Faction),
    TableSource("npcCorporations.jsonl", "eve_corporation", "corporations", NpcCorporationLine, NpcCorporation),
)
TYPE_COLUMNS = columns_of(Type)

FILES = (*(source.file for source in TABLES), TYPES, TYPE_DOGMA)


def read_rows(archive: Archive, source: TableSource) -> list[Row]:
    """Return the rows of the table, in the order of the file. Raises Malformed."""
    fields = attrgetter("key", *(_FIELDS.get(column, column) for column in source.columns[1:]))
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
