"""ESI's static data: types, groups, categories, systems, constellations, regions. From the same source as all else."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from killreport.sim.esi.answering import Call, EsiError, Paged, Route
from killreport.sim.simulator import Simulator
from killreport.sim.world.chance import fraction, mix
from killreport.sim.world.changes import NewType

_PAGE_SIZE = 1000
_DAY = 86_400

Body = dict[str, Any]


class UniverseRoutes:
    """Answers about the universe; positions are made up, since the packaged data has none."""

    def __init__(self, simulator: Simulator) -> None:
        self._universe = simulator.universe
        self._world = simulator.world

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/universe/types", self._types, _DAY),
            Route("GET", r"/universe/types/{id:\d+}", self._type, _DAY),
            Route("GET", "/universe/groups", self._groups, _DAY),
            Route("GET", r"/universe/groups/{id:\d+}", self._group, _DAY),
            Route("GET", "/universe/categories", self._categories, _DAY),
            Route("GET", r"/universe/categories/{id:\d+}", self._category, _DAY),
            Route("GET", "/universe/systems", self._systems, _DAY),
            Route("GET", r"/universe/systems/{id:\d+}", self._system, _DAY),
            Route("GET", "/universe/constellations", self._constellations, _DAY),
            Route("GET", r"/universe/constellations/{id:\d+}", self._constellation, _DAY),
            Route("GET", "/universe/regions", self._regions, _DAY),
            Route("GET", r"/universe/regions/{id:\d+}", self._region, _DAY),
        ]

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

    async def _types(self, call: Call) -> Paged:
        return _page(sorted(self._universe.types), call.page())

    async def _groups(self, call: Call) -> Paged:
        return _page(sorted(self._universe.groups), call.page())

    async def _categories(self, call: Call) -> list[int]:
        del call
        return sorted(self._universe.categories)

    async def _systems(self, call: Call) -> list[int]:
        del call
        return sorted(self._universe.systems)

    async def _constellations(self, call: Call) -> list[int]:
        del call
        return sorted(self._universe.constellations)

    async def _regions(self, call: Call) -> list[int]:
        del call
        return sorted(self._universe.regions)

    async def _type(self, call: Call) -> Body:
        new = self._world.changes.types.get(call.number("id"))
        if new is not None:
            return _new_type(call.number("id"), new)
        kind = _found(self._universe.types, call, "Type")
        body: Body = {
            **_measures(kind.type_id),
            "description": "",
            "group_id": kind.group_id,
            "name": kind.name,
            "published": kind.is_published,
            "type_id": kind.type_id,
        }
        if kind.market_group_id is not None:
            body["market_group_id"] = kind.market_group_id
        return body

    async def _group(self, call: Call) -> Body:
        group = _found(self._universe.groups, call, "Group")
        return {
            "category_id": group.category_id,
            "group_id": group.group_id,
            "name": group.name,
            "published": group.is_published,
            "types": self._inside.get(("group", group.group_id), []),
        }

    async def _category(self, call: Call) -> Body:
        category = _found(self._universe.categories, call, "Category")
        return {
            "category_id": category.category_id,
            "groups": self._inside.get(("category", category.category_id), []),
            "name": category.name,
            "published": category.is_published,
        }

    async def _system(self, call: Call) -> Body:
        system = _found(self._universe.systems, call, "Solar system")
        return {
            "constellation_id": system.constellation_id,
            "name": system.name,
            "position": _position(system.solar_system_id),
            "security_status": system.security_status,
            "system_id": system.solar_system_id,
        }

    async def _constellation(self, call: Call) -> Body:
        place = _found(self._universe.constellations, call, "Constellation")
        return {
            "constellation_id": place.constellation_id,
            "name": place.name,
            "position": _position(place.constellation_id),
            "region_id": place.region_id,
            "systems": self._inside.get(("constellation", place.constellation_id), []),
        }

    async def _region(self, call: Call) -> Body:
        region = _found(self._universe.regions, call, "Region")
        return {
            "constellations": self._inside.get(("region", region.region_id), []),
            "name": region.name,
            "region_id": region.region_id,
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


def _measures(type_id: int) -> Body:
    """Return made-up measures: kilograms and cubic metres."""
    volume = 1 + mix(121, type_id) % 100_000 / 10
    return {"capacity": volume // 2, "mass": round(volume * 1000, 1), "volume": volume}


def _found(rows: dict[int, Any], call: Call, what: str) -> Any:
    row = rows.get(call.number("id"))
    if row is None:
        raise EsiError(404, f"{what} not found")
    return row


def _page(ids: list[int], page: int) -> Paged:
    pages = max(1, -(-len(ids) // _PAGE_SIZE))
    if page > pages:
        raise EsiError(404, "Requested page does not exist!")
    return Paged(ids[(page - 1) * _PAGE_SIZE : page * _PAGE_SIZE], pages)


def _position(entity_id: int) -> Body:
    return {axis: (fraction(120, entity_id, place) - 0.5) * 1e18 for place, axis in enumerate("xyz")}
