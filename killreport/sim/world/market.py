"""The made-up market: what every tradable type costs on a day in a region, believable by its kind, and the same always.

A type has a level of its own around that of its kind, which drifts by the week and trembles by the day.
"""

from __future__ import annotations

import math
from datetime import date

from killreport.eve.universe import Type, Universe
from killreport.sim.world import price_levels as levels
from killreport.sim.world.chance import fraction, mix

MADE_UP = "made up by KillReport's simulator"
_T2, _FACTION, _STRUCTURE_T2 = 2, 4, 53
# Around the level of its kind: a hull or a mineral costs nearly what its like does, a module by far not.
_NARROW, _WIDE = 1.25, 2.5
_WEEKS_A_WAVE = 11


class MadeUpMarket:
    """Prices in ISK, worked out once a type."""

    def __init__(self, universe: Universe) -> None:
        self._universe = universe
        self._levels: dict[int, float] = {}
        self.traded = [kind for kind in universe.types.values() if is_traded(kind)]

    def price(self, type_id: int, day: date) -> float | None:
        """Return what one costs on a day; None for what nobody trades."""
        kind = self._universe.types.get(type_id)
        return None if kind is None or not is_traded(kind) else self.price_in(kind, 0, day)

    def price_in(self, kind: Type, region_id: int, day: date) -> float:
        """Return what one costs on a day in a region, at least 0.01."""
        ordinal = day.toordinal()
        phase = fraction(140, kind.type_id)
        drift = 1 + 0.08 * math.sin(2 * math.pi * (ordinal / (7 * _WEEKS_A_WAVE) + phase))
        noise = 0.97 + 0.06 * fraction(130, kind.type_id, region_id, ordinal)
        return max(0.01, round(self._level(kind) * drift * noise, 2))

    def day_of(self, kind: Type, region_id: int, day: date) -> dict[str, float | int | str]:
        """Return how the type was traded in the region on a day, as ESI writes it."""
        average = self.price_in(kind, region_id, day)
        ordinal = day.toordinal()
        return {
            "average": average,
            "date": day.isoformat(),
            "highest": round(average * 1.05, 2),
            "lowest": round(average * 0.95, 2),
            "order_count": 1 + mix(131, kind.type_id, ordinal) % 200,
            "volume": 1 + mix(132, kind.type_id, ordinal) % 50_000,
        }

    def _level(self, kind: Type) -> float:
        level = self._levels.get(kind.type_id)
        if level is None:
            typical, spread = self._typical(kind)
            level = typical * spread ** (2 * fraction(141, kind.type_id) - 1)
            self._levels[kind.type_id] = level
        return level

    def _typical(self, kind: Type) -> tuple[float, float]:
        """Return what its like costs, and how far from it the dearest and the cheapest are."""
        group = self._universe.groups[kind.group_id].name
        category = self._universe.categories[kind.category_id].name
        if category == "Ship":
            plain, faction = levels.HULLS.get(group, levels.OTHER_HULL)
            return (faction if _is_of_faction(kind) else plain), _NARROW
        if category == "Module":
            return self._module(kind, group)
        if category == "Structure Module":
            return _structure_module(kind)
        return _charge(kind, group) if category == "Charge" else _goods(kind, group, category)

    def _module(self, kind: Type, group: str) -> tuple[float, float]:
        if group.startswith("Rig "):
            factor = levels.T2_RIG_FACTOR if kind.meta_group_id == _T2 else 1.0
            return levels.RIGS.get(kind.rig_size or 1, levels.RIGS[1]) * factor, 2.0
        typical = levels.MODULES.get(kind.meta_group_id, levels.MODULES[None])
        # What is named between the plain and the second technology is dearer the better it is.
        if kind.meta_group_id in (None, 1):
            typical *= 1 + (kind.meta_level or 0) * 1.5
        if self._universe.is_capital(kind.type_id) or "Capital" in kind.name:
            typical *= levels.CAPITAL_FACTOR.get(kind.meta_group_id, 4.0)
        return typical, _WIDE


def is_traded(kind: Type) -> bool:
    """Tell whether the market has a place for it."""
    return kind.is_published and kind.market_group_id is not None


def _is_of_faction(kind: Type) -> bool:
    return kind.meta_group_id in (_FACTION, 3) or (kind.meta_group_id is None and (kind.meta_level or 0) >= 6)


def _structure_module(kind: Type) -> tuple[float, float]:
    factor = levels.T2_STRUCTURE_FACTOR if kind.meta_group_id == _STRUCTURE_T2 else 1.0
    return levels.STRUCTURE_RIGS.get(kind.rig_size or 0, levels.STRUCTURE_MODULE) * factor, _NARROW


def _goods(kind: Type, group: str, category: str) -> tuple[float, float]:
    if kind.type_id in levels.MINERALS:
        return levels.MINERALS[kind.type_id], 1.0
    typical, spread = levels.CATEGORIES.get(category, levels.OTHER_CATEGORY)
    if group in levels.GROUPS:
        typical, spread = levels.GROUPS[group], min(spread, 2.0)
    if category == "Structure":
        return typical * levels.STRUCTURE_SIZE_FACTOR.get(kind.rig_size or 0, 1.0), _NARROW
    if category in ("Drone", "Fighter", "Deployable"):
        typical *= levels.META_FACTORS.get(kind.meta_group_id, 1.0)
    return typical, spread


def _charge(kind: Type, group: str) -> tuple[float, float]:
    factor = levels.ROUND_FACTOR.get(kind.meta_group_id, 1.0)
    for word, typical in levels.CHARGES:
        if word in group:
            return typical * factor, 1.6
    for ending, typical in levels.ROUNDS.items():
        if kind.name.endswith(ending):
            return typical * factor, 1.6
    return levels.OTHER_CHARGE * factor, 1.6
