"""Static data as the schema shows it. Every view is made once and shared by all queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from killreport.api.engine.answer_cache import Immutable
from killreport.api.views.entity_cache import EntityViewCache
from killreport.entity.known import KnownNames
from killreport.eve.space import shown_security, space_class_of
from killreport.eve.tree import Tree
from killreport.eve.universe import Universe


@dataclass(frozen=True, slots=True)
class NamedView:
    """Something that has an id, and a name while it is known."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class RegionView(NamedView):
    """A region."""


@dataclass(frozen=True, slots=True)
class ConstellationView(NamedView):
    """A constellation."""


@dataclass(frozen=True, slots=True)
class CategoryView(NamedView):
    """A category of groups."""


@dataclass(frozen=True, slots=True)
class FactionView(NamedView, Immutable):
    """A faction, which can be on a killmail."""

    kind: ClassVar[str] = "FACTION"


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of types."""

    id: int
    name: str
    category: CategoryView | None


@dataclass(frozen=True, slots=True)
class TypeView(Immutable):
    """A type; without name and group where the static data does not know it."""

    id: int
    name: str | None
    group: GroupView | None


@dataclass(frozen=True, slots=True)
class SolarSystemView(Immutable):
    """A system in the constellation and region it had when the killmail was stored."""

    id: int
    name: str | None
    security: float | None
    space_class: str | None
    constellation: ConstellationView | None
    region: RegionView | None


class UniverseViews:
    """Makes views of static data and keeps them; bounded by the number of ids that exist.

    names: what is remembered of the names of entities beside them; None: nothing. Their views are kept too.
    """

    def __init__(self, universe: Universe, names: KnownNames | None = None) -> None:
        self.names = names or KnownNames(0)
        self.renew(universe)

    def renew(self, universe: Universe) -> None:
        """Make all views from this universe from now on; those that are in somebody's hands stay as they are."""
        self.universe = universe
        self.met = EntityViewCache()
        self._groups: dict[int, GroupView] = {}
        self._types: dict[int, TypeView] = {}
        self._systems: dict[tuple[int, int | None, int | None], SolarSystemView] = {}
        self._factions: dict[int, FactionView] = {}
        self.__dict__.pop("tree", None)

    def type(self, type_id: int) -> TypeView:
        """Return the type, known or not."""
        view = self._types.get(type_id)
        if view is None:
            found = self.universe.types.get(type_id)
            view = TypeView(type_id, None, None)
            if found is not None:
                view = TypeView(type_id, found.name, self.group(found.group_id))
                self._types[type_id] = view
        return view

    def type_or_none(self, type_id: int | None) -> TypeView | None:
        """Return the type, or None where there is no id."""
        return None if type_id is None else self.type(type_id)

    @cached_property
    def tree(self) -> Tree:
        """What lies in what; made when first asked for."""
        return Tree(self.universe)

    def region(self, region_id: int) -> RegionView | None:
        """Return the region, None where it is unknown."""
        found = self.universe.regions.get(region_id)
        return None if found is None else RegionView(region_id, found.name)

    def constellation(self, constellation_id: int) -> ConstellationView | None:
        """Return the constellation, None where it is unknown."""
        found = self.universe.constellations.get(constellation_id)
        return None if found is None else ConstellationView(constellation_id, found.name)

    def category(self, category_id: int) -> CategoryView | None:
        """Return the category, None where it is unknown."""
        found = self.universe.categories.get(category_id)
        return None if found is None else CategoryView(category_id, found.name)

    def group(self, group_id: int) -> GroupView | None:
        """Return the group, None where it is unknown."""
        if group_id not in self._groups:
            group = self.universe.groups.get(group_id)
            if group is None:
                return None
            self._groups[group_id] = GroupView(group_id, group.name, self.category(group.category_id))
        return self._groups[group_id]

    def system_today(self, system_id: int) -> SolarSystemView | None:
        """Return the system where it lies today, None where it is unknown."""
        found = self.universe.systems.get(system_id)
        return None if found is None else self.system(system_id, found.constellation_id, found.region_id)

    def faction(self, faction_id: int | None) -> FactionView | None:
        """Return the faction, without name where it is unknown; None where there is no id."""
        if faction_id is None:
            return None
        view = self._factions.get(faction_id)
        if view is None:
            found = self.universe.factions.get(faction_id)
            view = FactionView(faction_id, None if found is None else found.name)
            if found is not None:
                self._factions[faction_id] = view
        return view

    def system(self, system_id: int, constellation_id: int | None, region_id: int | None) -> SolarSystemView:
        """Return the system as it lay in this constellation and region, which are those of the stored killmail."""
        key = (system_id, constellation_id, region_id)
        view = self._systems.get(key)
        if view is None:
            view = self._make_system(*key)
            if system_id in self.universe.systems:
                self._systems[key] = view
        return view

    def _make_system(self, system_id: int, constellation_id: int | None, region_id: int | None) -> SolarSystemView:
        found = self.universe.systems.get(system_id)
        security = None if found is None else found.security_status
        return SolarSystemView(
            id=system_id,
            name=None if found is None else found.name,
            security=None if security is None else shown_security(security),
            space_class=None if security is None or region_id is None else space_class_of(region_id, security).value,
            constellation=None
            if constellation_id is None
            else self.constellation(constellation_id) or ConstellationView(constellation_id, None),
            region=None if region_id is None else self.region(region_id) or RegionView(region_id, None),
        )
