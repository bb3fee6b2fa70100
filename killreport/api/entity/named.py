"""Everything that has a name, as views: for rankings, lists and what a search found."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.views.entity import EntityViews, Wanted, load_wanted
from killreport.api.views.met import AllianceView, CharacterView, CorporationView
from killreport.api.views.universe import (
    FactionView,
    GroupView,
    NamedView,
    SolarSystemView,
    TypeView,
    UniverseViews,
)
from killreport.entity.kind import EntityKind


@dataclass(frozen=True, slots=True)
class RegionView(NamedView):
    """A region."""


@dataclass(frozen=True, slots=True)
class ConstellationView(NamedView):
    """A constellation."""


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
TYPE_NAMES: Mapping[type[Any], str] = {
    CharacterView: "Character",
    CorporationView: "Corporation",
    AllianceView: "Alliance",
    FactionView: "Faction",
    TypeView: "Type",
    GroupView: "Group",
    SolarSystemView: "SolarSystem",
    ConstellationView: "Constellation",
    RegionView: "Region",
}


def name_types(values: Sequence[Any], _info: FieldInfo) -> list[str]:
    """Return of which type of the schema each view is."""
    return [TYPE_NAMES[type(value)] for value in values]


class NamedEntities:
    """Views of entities that were asked for; characters, corporations and alliances with the names that were loaded."""

    def __init__(self, entities: EntityViews, views: UniverseViews) -> None:
        self._views = views
        self._finders: dict[EntityKind, Callable[[int], NamedEntity | None]] = {
            EntityKind.CHARACTER: entities.character,
            EntityKind.CORPORATION: entities.corporation,
            EntityKind.ALLIANCE: entities.alliance,
            EntityKind.FACTION: views.faction,
            EntityKind.SHIP_TYPE: views.type,
            EntityKind.SHIP_GROUP: self._group,
            EntityKind.SOLAR_SYSTEM: self._system,
            EntityKind.CONSTELLATION: self._constellation,
            EntityKind.REGION: self._region,
        }

    def find(self, kind: EntityKind, entity_id: int) -> NamedEntity | None:
        """Return the view; None for a group or a place that the static data does not know."""
        return self._finders[kind](entity_id)

    def _group(self, group_id: int) -> GroupView | None:
        found = self._views.universe.groups.get(group_id)
        if found is None:
            return None
        category = self._views.universe.categories.get(found.category_id)
        return GroupView(
            group_id, found.name, None if category is None else NamedView(category.category_id, category.name)
        )

    def _system(self, system_id: int) -> SolarSystemView | None:
        found = self._views.universe.systems.get(system_id)
        return None if found is None else self._views.system(system_id, found.constellation_id, found.region_id)

    def _constellation(self, constellation_id: int) -> ConstellationView | None:
        found = self._views.universe.constellations.get(constellation_id)
        return None if found is None else ConstellationView(constellation_id, found.name)

    def _region(self, region_id: int) -> RegionView | None:
        found = self._views.universe.regions.get(region_id)
        return None if found is None else RegionView(region_id, found.name)


async def load_named(context: ApiContext, wanted: Iterable[tuple[EntityKind, int]]) -> NamedEntities:
    """Return views of these entities; one statement for all names, and none where all are static data."""
    ids = Wanted()
    sets = {
        EntityKind.CHARACTER: ids.characters,
        EntityKind.CORPORATION: ids.corporations,
        EntityKind.ALLIANCE: ids.alliances,
    }
    for kind, entity_id in wanted:
        if kind in sets:
            sets[kind].add(entity_id)
    return NamedEntities(await load_wanted(context.database, context.views, ids), context.views)
