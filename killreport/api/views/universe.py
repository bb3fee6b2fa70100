"""Static data as the schema shows it. Every view is made once and shared by all queries."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from killreport.api.engine.lasting import Lasting
from killreport.api.views.met import MetEntities
from killreport.entity.known import KnownNames
from killreport.eve.space import shown_security, space_class_of
from killreport.eve.tree import Tree
from killreport.eve.universe import Category, Constellation, Region, Universe


@dataclass(frozen=True, slots=True)
class NamedView:
    """A region, constellation or category; a faction is one of its own kind."""

    id: int
    name: str | None


@dataclass(frozen=True, slots=True)
class FactionView(NamedView, Lasting):
    """A faction, which can be on a killmail."""

    kind: ClassVar[str] = "FACTION"


@dataclass(frozen=True, slots=True)
class GroupView:
    """A group of types."""

    id: int
    name: str
    category: NamedView | None


@dataclass(frozen=True, slots=True)
class TypeView(Lasting):
    """A type; without name and group where the static data does not know it."""

    id: int
    name: str | None
    group: GroupView | None


@dataclass(frozen=True, slots=True)
class SolarSystemView(Lasting):
    """A system in the constellation and region it had when the killmail was stored."""

    id: int
    name: str | None
    security: float | None
    space_class: str | None
    constellation: NamedView | None
    region: NamedView | None


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
        self.met = MetEntities()
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
                view = TypeView(type_id, found.name, self._group(found.group_id))
                self._types[type_id] = view
        return view

    def type_or_none(self, type_id: int | None) -> TypeView | None:
        """Return the type, or None where there is no id."""
        return None if type_id is None else self.type(type_id)

    @cached_property
    def tree(self) -> Tree:
        """What lies in what; made when first asked for."""
        return Tree(self.universe)

    def region(self, region_id: int) -> NamedView | None:
        """Return the region, None where it is unknown."""
        return _known(region_id, self.universe.regions.get(region_id))

    def constellation(self, constellation_id: int) -> NamedView | None:
        """Return the constellation, None where it is unknown."""
        return _known(constellation_id, self.universe.constellations.get(constellation_id))

    def category(self, category_id: int) -> NamedView | None:
        """Return the category, None where it is unknown."""
        return _known(category_id, self.universe.categories.get(category_id))

    def group(self, group_id: int) -> GroupView | None:
        """Return the group, None where it is unknown."""
        return self._group(group_id)

    def system_today(self, system_id: int) -> SolarSystemView | None:
        """Return the system where it lies today, None where it is unknown."""
        found = self.universe.systems.get(system_id)
        return None if found is None else self.system(system_id, found.constellation_id, found.region_id)

    def _group(self, group_id: int) -> GroupView | None:
        if group_id not in self._groups:
            group = self.universe.groups.get(group_id)
            if group is None:
                return None
            self._groups[group_id] = GroupView(group_id, group.name, self.category(group.category_id))
        return self._groups[group_id]

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
        constellation = self.universe.constellations.get(constellation_id or 0)
        region = self.universe.regions.get(region_id or 0)
        security = None if found is None else found.security_status
        return SolarSystemView(
            id=system_id,
            name=None if found is None else found.name,
            security=None if security is None else shown_security(security),
            space_class=None if security is None or region_id is None else space_class_of(region_id, security).value,
            constellation=_named(constellation_id, constellation),
            region=_named(region_id, region),
        )


def _known(entity_id: int, found: Constellation | Region | Category | None) -> NamedView | None:
    return None if found is None else NamedView(entity_id, found.name)


def _named(entity_id: int | None, known: Constellation | Region | None) -> NamedView | None:
    return None if entity_id is None else NamedView(entity_id, None if known is None else known.name)
