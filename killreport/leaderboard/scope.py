"""Where a ranking looks: a solar system, a constellation or a region, as the systems they are made of today."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.errors import NotFound, Refused
from killreport.eve.universe import Universe


@dataclass(frozen=True, slots=True)
class Scope:
    """A place, and the ids of its systems, ascending."""

    kind: EntityKind
    place_id: int
    solar_system_ids: Sequence[int]


@dataclass(frozen=True, slots=True)
class PlaceCount:
    """When all time of a busy place was counted, and up to which day."""

    last_day: date
    counted_at: datetime


def find_scope(universe: Universe, kind: EntityKind, place_id: int) -> Scope:
    """Return a place with its systems. Raises NotFound, and Refused for what is no place."""
    systems = universe.systems.values()
    match kind:
        case EntityKind.SOLAR_SYSTEM:
            found = [place_id] if place_id in universe.systems else []
        case EntityKind.CONSTELLATION:
            found = [system.solar_system_id for system in systems if system.constellation_id == place_id]
        case EntityKind.REGION:
            found = [system.solar_system_id for system in systems if system.region_id == place_id]
        case _:
            raise Refused("A ranking can be limited to a solar system, a constellation or a region only.")
    if not found:
        raise NotFound(f"There is no place with the id {place_id}.")
    return Scope(kind, place_id, sorted(found))


async def find_count(connection: Connection, scope: Scope) -> PlaceCount | None:
    """Return the last count of a place, as `place_count.py` made it; None for one that is summed for its readers."""
    row = await connection.fetchrow(
        "select last_day, counted_at from place_run where place_kind = $1 and place_id = $2",
        int(scope.kind),
        scope.place_id,
    )
    return None if row is None else PlaceCount(*row)
