"""The static data in memory: one frozen object a row, and the questions the rules ask of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Slot = Literal["high", "mid", "low", "rig", "subsystem", "service"]

# "Capital Ships" and "Faction Dreadnoughts", which today lies below the first.
# Source: the market groups zKillboard's `capital` label looks for; their names are in CCP's marketGroups.
CAPITAL_MARKET_GROUPS = frozenset({1381, 2288})


@dataclass(frozen=True, slots=True)
class Type:
    """Anything that has a type id: a hull, a module, a charge, a skill, a structure; published or not.

    base_price is ISK for portion_size units. rig_size is 1 (small) to 4 (capital) for hulls and rigs. slot is where a
    module is fitted. The `*_slots` are what a hull has before subsystems, and what a subsystem adds to them;
    squadron_size is how many fighters fly as one. None: the type lacks the attribute.
    """

    type_id: int
    name: str
    group_id: int
    category_id: int
    is_published: bool
    market_group_id: int | None
    meta_group_id: int | None
    base_price: float | None
    rig_size: int | None
    meta_level: int | None
    is_overheatable: bool
    slot: Slot | None
    high_slots: int | None
    mid_slots: int | None
    low_slots: int | None
    rig_slots: int | None
    service_slots: int | None
    squadron_size: int | None
    portion_size: int = 1

    @property
    def unit_base_price(self) -> float | None:
        """Return CCP's base price of one unit, in ISK."""
        return None if self.base_price is None else self.base_price / self.portion_size


@dataclass(frozen=True, slots=True)
class Blueprint:
    """How a type is made. quantity: what a run gives. materials: type and quantity that a run takes, unresearched.

    is_reaction: made by a reaction formula, which no research makes cheaper.
    """

    product_id: int
    quantity: int
    materials: tuple[tuple[int, int], ...]
    is_reaction: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A group of types, such as Frigate."""

    group_id: int
    name: str
    category_id: int
    is_published: bool


@dataclass(frozen=True, slots=True)
class Category:
    """A category of groups, such as Ship."""

    category_id: int
    name: str
    is_published: bool


@dataclass(frozen=True, slots=True)
class MarketGroup:
    """A branch of the market's tree; the roots have no parent."""

    market_group_id: int
    name: str
    parent_market_group_id: int | None


@dataclass(frozen=True, slots=True)
class MetaGroup:
    """A family of variants, such as Tech II."""

    meta_group_id: int
    name: str


@dataclass(frozen=True, slots=True)
class Region:
    """A region of any kind of space."""

    region_id: int
    name: str
    faction_id: int | None
    wormhole_class_id: int | None


@dataclass(frozen=True, slots=True)
class Constellation:
    """A constellation; every one lies in one region."""

    constellation_id: int
    name: str
    region_id: int
    faction_id: int | None
    wormhole_class_id: int | None


@dataclass(frozen=True, slots=True)
class SolarSystem:
    """A solar system; security_status is unrounded (`space.shown_security` is what a player sees)."""

    solar_system_id: int
    name: str
    constellation_id: int
    region_id: int
    security_status: float
    faction_id: int | None
    wormhole_class_id: int | None


@dataclass(frozen=True, slots=True)
class Faction:
    """An NPC faction, with its militia's corporation where it takes part in factional warfare."""

    faction_id: int
    name: str
    corporation_id: int | None
    militia_corporation_id: int | None


@dataclass(frozen=True, slots=True)
class NpcCorporation:
    """A corporation of the game itself."""

    corporation_id: int
    name: str
    ticker: str
    faction_id: int | None


class Universe:
    """All static data by id. Read-only by agreement; an unknown id gives None everywhere, never an error.

    blueprints are by the id of what they make.
    build_number and released_at are of CCP's release the data came from.
    """

    def __init__(
        self,
        *,
        types: dict[int, Type],
        groups: dict[int, Group],
        categories: dict[int, Category],
        market_groups: dict[int, MarketGroup],
        meta_groups: dict[int, MetaGroup],
        regions: dict[int, Region],
        constellations: dict[int, Constellation],
        systems: dict[int, SolarSystem],
        factions: dict[int, Faction],
        corporations: dict[int, NpcCorporation],
        blueprints: Mapping[int, Blueprint] | None = None,
        build_number: int = 0,
        released_at: datetime | None = None,
    ) -> None:
        self.types = types
        self.groups = groups
        self.categories = categories
        self.market_groups = market_groups
        self.meta_groups = meta_groups
        self.regions = regions
        self.constellations = constellations
        self.systems = systems
        self.factions = factions
        self.corporations = corporations
        self.blueprints: Mapping[int, Blueprint] = blueprints or {}
        self.build_number = build_number
        self.released_at = released_at
        self._capital_market_groups = frozenset(
            market_group_id for market_group_id in market_groups if self._is_below_capital(market_group_id)
        )

    def type_name(self, type_id: int) -> str | None:
        """Return the English name of the type."""
        found = self.types.get(type_id)
        return None if found is None else found.name

    def group_id_of(self, type_id: int) -> int | None:
        """Return the id of the type's group."""
        found = self.types.get(type_id)
        return None if found is None else found.group_id

    def category_id_of(self, type_id: int) -> int | None:
        """Return the id of the category of the type's group."""
        found = self.types.get(type_id)
        return None if found is None else found.category_id

    def category_of(self, type_id: int) -> Category | None:
        """Return the category of the type's group."""
        found = self.types.get(type_id)
        return None if found is None else self.categories.get(found.category_id)

    def is_capital(self, type_id: int) -> bool:
        """Tell whether the type is sold below one of CAPITAL_MARKET_GROUPS."""
        found = self.types.get(type_id)
        return found is not None and found.market_group_id in self._capital_market_groups

    def _is_below_capital(self, market_group_id: int) -> bool:
        seen: set[int] = set()
        current: int | None = market_group_id
        while current is not None and current not in seen:
            if current in CAPITAL_MARKET_GROUPS:
                return True
            seen.add(current)
            found = self.market_groups.get(current)
            current = None if found is None else found.parent_market_group_id
        return False


# For questions whose answers are in the rows.
NOTHING_KNOWN = Universe(
    types={},
    groups={},
    categories={},
    market_groups={},
    meta_groups={},
    regions={},
    constellations={},
    systems={},
    factions={},
    corporations={},
)
