"""Where kills happen: the systems by kind of space, the busy ones first."""

from __future__ import annotations

import random

from killreport.eve.universe import SolarSystem, Universe
from killreport.sim.world.chance import Weighted, pick_early, stream
from killreport.sim.world.hulls import BUSY_SYSTEMS, SPACE_SHARES

_POCHVEN_REGION_ID = 10000070
# The Jove regions: their systems have no gates.
_UNREACHABLE_REGIONS = frozenset({10000004, 10000017, 10000019})


def kind_of_space(system: SolarSystem) -> str | None:
    """Return highsec, lowsec, nullsec, wormhole, pochven or abyssal; None for what no player can reach."""
    if system.region_id in _UNREACHABLE_REGIONS:
        return None
    if system.region_id == _POCHVEN_REGION_ID:
        return "pochven"
    match system.solar_system_id // 1_000_000:
        case 30:
            return _known_space(system.security_status)
        case 31:
            return "wormhole"
        case 32:
            return "abyssal"
    return None


def _known_space(security_status: float) -> str:
    if security_status >= 0.45:
        return "highsec"
    return "lowsec" if security_status >= 0.0 else "nullsec"


class SystemsBySecurity:
    """Draws systems: by kind, then the earlier in an order of the seed's own the likelier."""

    def __init__(self, universe: Universe, seed: int) -> None:
        """Sort the systems into kinds of space."""
        self._by_kind: dict[str, list[SolarSystem]] = {}
        for system in universe.systems.values():
            kind = kind_of_space(system)
            if kind is not None:
                self._by_kind.setdefault(kind, []).append(system)
        for systems in self._by_kind.values():
            systems.sort(key=lambda system: system.solar_system_id)
            stream(seed, 40, len(systems)).shuffle(systems)
            # A stable sort: the busy ones come first, the rest keep their shuffled order.
            systems.sort(key=lambda system: system.name not in BUSY_SYSTEMS)
        self._kinds: Weighted[str] = Weighted([(kind, share) for kind, share in SPACE_SHARES if kind in self._by_kind])

    def draw_kind(self, unit: float) -> str:
        """Return a kind of space other than the abyss, as often as kills happen there."""
        return self._kinds.draw(unit)

    def draw(self, kind: str, roll: random.Random) -> SolarSystem:
        """Return a system of this kind of space."""
        return pick_early(self._by_kind[kind], roll.random(), 3.0)
