"""Where a ranking looks: a solar system, a constellation or a region, as the systems they are made of today."""

from __future__ import annotations

from killreport.entity.kind import EntityKind
from killreport.errors import NotFound, Refused
from killreport.eve.universe import Universe


def systems_of(universe: Universe, kind: EntityKind, place_id: int) -> list[int]:
    """Return the ids of the systems of a place, ascending. Raises NotFound, and Refused for what is no place."""
    systems = universe.systems.values()
    match kind:
        case EntityKind.SOLAR_SYSTEM:
            found = [place_id] if place_id in universe.systems else []
        case EntityKind.CONSTELLATION:
            found = [system.solar_system_id for system in systems if system.constellation_id == place_id]
        case EntityKind.REGION:
            found = [system.solar_system_id for system in systems if system.region_id == place_id]
        case _:
            raise Refused("Only a solar system, a constellation or a region is a place to rank in.")
    if not found:
        raise NotFound(f"There is no place with the id {place_id}.")
    return sorted(found)
