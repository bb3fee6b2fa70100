"""Where a type is traded, and since when: the region whose averages are its price.

A new row needs a source; a type without a row is traded in The Forge.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date

THE_FORGE = 10000002
PLEX = 44992


@dataclass(frozen=True, slots=True)
class MarketRegion:
    """A type has its market in this region from the UTC day `since` on, until a later row of the same type."""

    type_id: int
    region_id: int
    since: date
    source: str


MARKET_REGIONS: tuple[MarketRegion, ...] = (
    MarketRegion(
        PLEX,
        19000001,
        date(2025, 7, 7),
        "CCP made one market of PLEX for all of New Eden; region 19000001 of ESI's and EVE Ref's market history "
        "begins on that day, The Forge's ends the day before",
    ),
)


def market_region(type_id: int, day: date, regions: Iterable[MarketRegion] = MARKET_REGIONS) -> int:
    """Return the region that has the type's market on the UTC day."""
    held = [row for row in regions if row.type_id == type_id and row.since <= day]
    return max(held, key=lambda row: row.since).region_id if held else THE_FORGE


def regions_apart(day: date) -> Mapping[int, int]:
    """Return the region of every type that is not traded in The Forge on the UTC day."""
    found = {row.type_id: market_region(row.type_id, day) for row in MARKET_REGIONS}
    return {type_id: region_id for type_id, region_id in found.items() if region_id != THE_FORGE}
