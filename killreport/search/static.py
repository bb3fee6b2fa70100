"""The names of the static data, searched in memory: beginnings by bisection, parts in one long string."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate

from killreport.eve.universe import Universe
from killreport.search.model import Hit, Match, SearchKind

SHIP_CATEGORY = 6
MAX_PREFIXES = 100
MAX_PARTS = 100
MIN_PART = 3


class StaticNames:
    """The names of one universe: some 40,000 strings, kept once more in lower case."""

    def __init__(self, universe: Universe) -> None:
        entries = sorted((name.lower(), kind, id_, name) for kind, id_, name in _names(universe))
        self._lower = [entry[0] for entry in entries]
        self._entries = [entry[1:] for entry in entries]
        self._text = "\n".join(self._lower)
        self._begins = list(accumulate((len(name) + 1 for name in self._lower), initial=0))

    def search(self, question: str) -> list[Hit]:
        """Return what is named so, begins so or has it in its name, unordered; bounded, so not all of many.

        question: cleaned, not empty.
        """
        wanted = question.lower()
        first = bisect_left(self._lower, wanted)
        # The longest names come last in order, so an exact one is always within the bound.
        last = min(bisect_right(self._lower, wanted + chr(0x10FFFF)), first + MAX_PREFIXES)
        found = {index: Match.EXACT if self._lower[index] == wanted else Match.PREFIX for index in range(first, last)}
        if len(wanted) >= MIN_PART:
            for index in self._parts(wanted):
                found.setdefault(index, Match.PART)
        return [self._hit(index, match) for index, match in found.items()]

    def _parts(self, wanted: str) -> Iterator[int]:
        at = self._text.find(wanted)
        for _ in range(MAX_PARTS):
            if at < 0:
                return
            index = bisect_right(self._begins, at) - 1
            yield index
            at = self._text.find(wanted, self._begins[index + 1])

    def _hit(self, index: int, match: Match) -> Hit:
        kind, id_, name = self._entries[index]
        return Hit(kind, id_, name, None, match)


def _names(universe: Universe) -> Iterator[tuple[SearchKind, int, str]]:
    for type_ in universe.types.values():
        if type_.is_published:
            is_ship = type_.category_id == SHIP_CATEGORY
            yield (SearchKind.SHIP_TYPE if is_ship else SearchKind.TYPE), type_.type_id, type_.name
    for group in universe.groups.values():
        if group.is_published:
            yield SearchKind.GROUP, group.group_id, group.name
    for system in universe.systems.values():
        yield SearchKind.SOLAR_SYSTEM, system.solar_system_id, system.name
    for constellation in universe.constellations.values():
        yield SearchKind.CONSTELLATION, constellation.constellation_id, constellation.name
    for region in universe.regions.values():
        yield SearchKind.REGION, region.region_id, region.name
    for faction in universe.factions.values():
        yield SearchKind.FACTION, faction.faction_id, faction.name


@lru_cache(maxsize=1)
def static_names(universe: Universe) -> StaticNames:
    """Return the names of a universe, made once for it: processes forked from one that has them share them."""
    return StaticNames(universe)
