"""What lies in what: the constellations of a region, the types of a group. Made once from the static data."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from killreport.eve.universe import Universe

Children = Mapping[int, Sequence[int]]


class Tree:
    """The children of everything by the id of their parent, in the order of their own ids."""

    def __init__(self, universe: Universe) -> None:
        systems = sorted(universe.systems.values(), key=lambda system: system.solar_system_id)
        self.constellations_of_region = _children(
            (found.region_id, found.constellation_id) for found in universe.constellations.values()
        )
        self.systems_of_region = _children((found.region_id, found.solar_system_id) for found in systems)
        self.systems_of_constellation = _children((found.constellation_id, found.solar_system_id) for found in systems)
        self.groups_of_category = _children((found.category_id, found.group_id) for found in universe.groups.values())
        self.types_of_group = _children((found.group_id, found.type_id) for found in universe.types.values())


def _children(pairs: Iterable[tuple[int, int]]) -> Children:
    found: defaultdict[int, list[int]] = defaultdict(list)
    for parent, child in sorted(pairs):
        found[parent].append(child)
    return dict(found)
