"""Everything that has a name, as views: for rankings, lists and what a search found."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from killreport.api.context import ApiContext, Info
from killreport.api.views.entity import WantedNames, load_wanted
from killreport.api.views.entity_cache import AllianceView, CharacterView, CorporationView
from killreport.api.views.universe import (
    ConstellationView,
    FactionView,
    GroupView,
    RegionView,
    SolarSystemView,
    TypeView,
)
from killreport.entity.kind import EntityKind

NamedEntity = (
    CharacterView
    | CorporationView
    | AllianceView
    | FactionView
    | TypeView
    | GroupView
    | SolarSystemView
    | ConstellationView
    | RegionView
)
# By the schema's names of their types.
KINDS: Mapping[str, EntityKind] = {
    "Character": EntityKind.CHARACTER,
    "Corporation": EntityKind.CORPORATION,
    "Alliance": EntityKind.ALLIANCE,
    "Faction": EntityKind.FACTION,
    "Type": EntityKind.SHIP_TYPE,
    "Group": EntityKind.SHIP_GROUP,
    "SolarSystem": EntityKind.SOLAR_SYSTEM,
    "Constellation": EntityKind.CONSTELLATION,
    "Region": EntityKind.REGION,
}


def name_types(values: Sequence[Any], _info: Info) -> list[str]:
    """Return of which type of the schema each view is: a view is named after it."""
    return [type(value).__name__.removesuffix("View") for value in values]


async def find_named(context: ApiContext, wanted: Sequence[tuple[EntityKind, int | None]]) -> list[NamedEntity | None]:
    """Return views of these entities in their order; one statement for all names, and none where all are static data.

    None for what has no id, and for a group or a place that the static data does not know.
    """
    ids = WantedNames()
    stored = {
        EntityKind.CHARACTER: ids.characters,
        EntityKind.CORPORATION: ids.corporations,
        EntityKind.ALLIANCE: ids.alliances,
    }
    for kind, entity_id in wanted:
        if kind in stored and entity_id is not None:
            stored[kind].add(entity_id)
    views = context.views
    entities = await load_wanted(context.database, views, ids)
    finders: Mapping[EntityKind, Callable[[int], NamedEntity | None]] = {
        EntityKind.CHARACTER: entities.character,
        EntityKind.CORPORATION: entities.corporation,
        EntityKind.ALLIANCE: entities.alliance,
        EntityKind.FACTION: views.faction,
        EntityKind.SHIP_TYPE: views.type,
        EntityKind.SHIP_GROUP: views.group,
        EntityKind.SOLAR_SYSTEM: views.system_today,
        EntityKind.CONSTELLATION: views.constellation,
        EntityKind.REGION: views.region,
    }
    return [None if entity_id is None else finders[kind](entity_id) for kind, entity_id in wanted]
