"""ESI's static data: types, groups, categories, systems, constellations, regions. From the same source as all else."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Any

from killreport.eve.universe import Category, Constellation, Group, Region, SolarSystem, Type
from killreport.sim.answers import ErrorAnswer
from killreport.sim.esi.answering import Call, Route
from killreport.sim.simulator import Simulator
from killreport.sim.world.chance import fraction, mix
from killreport.sim.world.changes import NewType

_PAGE_SIZE = 1000
_DAY = 86_400
# The lists that ESI gives in pages.
_PAGED = ("types", "groups")

Body = dict[str, Any]


class UniverseRoutes:
    """Answers about the universe; positions are made up, since the packaged data has none."""

    def __init__(self, simulator: Simulator) -> None:
        self._universe = simulator.universe
        self._world = simulator.world

    def routes(self) -> list[Route]:
        """Return the routes: of each kind the list of its ids, and one by its id."""
        universe = self._universe
        kinds: tuple[tuple[str, str, Mapping[int, Any], Callable[[Any], Body]], ...] = (
            ("types", "Type", universe.types, _type),
            ("groups", "Group", universe.groups, self._group),
            ("categories", "Category", universe.categories, self._category),
            ("systems", "Solar system", universe.systems, _system),
            ("constellations", "Constellation", universe.constellations, self._constellation),
            ("regions", "Region", universe.regions, self._region),
        )
        return [route for kind in kinds for route in self._routes_of(*kind)]

    def _routes_of(
        self, plural: str, noun: str, rows: Mapping[int, Any], body: Callable[[Any], Body]
    ) -> tuple[Route, Route]:
        def every(call: Call) -> Any:
            return call.page_of(sorted(rows), _PAGE_SIZE) if plural in _PAGED else sorted(rows)

        def one(call: Call) -> Body:
            found, new = call.number("id"), self._world.changes.types
            if plural == "types" and found in new:
                return _new_type(found, new[found])
            if found not in rows:
                raise ErrorAnswer(404, f"{noun} not found")
            return body(rows[found])

        path = f"/universe/{plural}"
        return Route("GET", path, every, _DAY), Route("GET", path + r"/{id:\d+}", one, _DAY)

    @cached_property
    def _inside(self) -> dict[tuple[str, int], list[int]]:
        """Return what lies in what: types of groups, groups of categories, systems of constellations, and so on."""
        universe = self._universe
        pairs = [
            *((("group", kind.group_id), kind.type_id) for kind in universe.types.values()),
            *((("category", group.category_id), group.group_id) for group in universe.groups.values()),
            *((("constellation", s.constellation_id), s.solar_system_id) for s in universe.systems.values()),
            *((("region", c.region_id), c.constellation_id) for c in universe.constellations.values()),
        ]
        found: dict[tuple[str, int], list[int]] = {}
        for key, inner in pairs:
            found.setdefault(key, []).append(inner)
        return {key: sorted(inner) for key, inner in found.items()}

    def _group(self, group: Group) -> Body:
        return {
            "category_id": group.category_id,
            "group_id": group.group_id,
            "name": group.name,
            "published": group.is_published,
            "types": self._inside.get(("group", group.group_id), []),
        }

    def _category(self, category: Category) -> Body:
        return {
            "category_id": category.category_id,
            "groups": self._inside.get(("category", category.category_id), []),
            "name": category.name,
            "published": category.is_published,
        }

    def _constellation(self, place: Constellation) -> Body:
        return {
            "constellation_id": place.constellation_id,
            "name": place.name,
            "position": _position(place.constellation_id),
            "region_id": place.region_id,
            "systems": self._inside.get(("constellation", place.constellation_id), []),
        }

    def _region(self, region: Region) -> Body:
        return {
            "constellations": self._inside.get(("region", region.region_id), []),
            "name": region.name,
            "region_id": region.region_id,
        }


def _type(kind: Type) -> Body:
    market = {} if kind.market_group_id is None else {"market_group_id": kind.market_group_id}
    return {
        **_measures(kind.type_id),
        "description": "",
        "group_id": kind.group_id,
        "name": kind.name,
        "published": kind.is_published,
        "type_id": kind.type_id,
        **market,
    }


def _new_type(type_id: int, new: NewType) -> Body:
    """Return a type that only ESI knows so far."""
    return {
        **_measures(type_id),
        "description": f"{new.name} was not here yesterday.",
        "group_id": new.group_id,
        "name": new.name,
        "published": True,
        "type_id": type_id,
    }


def _system(system: SolarSystem) -> Body:
    return {
        "constellation_id": system.constellation_id,
        "name": system.name,
        "position": _position(system.solar_system_id),
        "security_status": system.security_status,
        "system_id": system.solar_system_id,
    }


def _measures(type_id: int) -> Body:
    """Return made-up measures: kilograms and cubic metres."""
    volume = 1 + mix(121, type_id) % 100_000 / 10
    return {"capacity": volume // 2, "mass": round(volume * 1000, 1), "volume": volume}


def _position(entity_id: int) -> Body:
    return {axis: (fraction(120, entity_id, place) - 0.5) * 1e18 for place, axis in enumerate("xyz")}
