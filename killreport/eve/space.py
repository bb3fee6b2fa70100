"""Security as a player sees it, and kinds of space."""

from __future__ import annotations

import math
from enum import StrEnum

from killreport.eve.universe import SolarSystem

# True security from which a system counts as high and as low security.
# Source: the thresholds of zKillboard's `loc:` labels; the game shows 0.45 as 0.5.
HIGHSEC_FROM = 0.45
LOWSEC_FROM = 0.0

POCHVEN_REGION = 10_000_070
ZARZAKH_REGION = 10_001_000
DRIFTER_REGION = 11_000_033
KNOWN_SPACE_REGIONS = range(10_000_000, 11_000_000)
WORMHOLE_REGIONS = range(11_000_000, 12_000_000)
ABYSSAL_REGIONS = range(12_000_000, 13_000_000)


class SpaceClass(StrEnum):
    """Kinds of space; the first six are spelt like zKillboard's `loc:` labels."""

    HIGHSEC = "highsec"
    LOWSEC = "lowsec"
    NULLSEC = "nullsec"
    W_SPACE = "w-space"
    DRIFTER = "drifter"
    ABYSSAL = "abyssal"
    POCHVEN = "pochven"
    ZARZAKH = "zarzakh"
    OTHER = "other"


LABELLED = frozenset(
    {
        *(SpaceClass.HIGHSEC, SpaceClass.LOWSEC, SpaceClass.NULLSEC),
        *(SpaceClass.W_SPACE, SpaceClass.DRIFTER, SpaceClass.ABYSSAL),
    }
)


def shown_security(security_status: float) -> float:
    """Return the security a player sees: one decimal, and never 0.0 for a system above zero.

    security_status: unrounded. Raises ValueError outside -1.0 to 1.0.
    """
    if not -1.0 <= security_status <= 1.0:
        raise ValueError(f"{security_status} is not a security status")
    if 0.0 < security_status < 0.05:
        return 0.1
    return math.floor(security_status * 10 + 0.5) / 10


def space_class(system: SolarSystem) -> SpaceClass:
    """Return the kind of space the system lies in today."""
    return space_class_of(system.region_id, system.security_status)


def space_class_of(region_id: int, security_status: float) -> SpaceClass:
    """Return the kind of space of a system in that region; for a system that has moved, the region it had then.

    security_status: unrounded; it decides in known space only. Exactly 0.0 is low security, as zKillboard labels it.
    """
    if region_id in KNOWN_SPACE_REGIONS:
        return _known_space(region_id, security_status)
    if region_id in WORMHOLE_REGIONS:
        return SpaceClass.DRIFTER if region_id == DRIFTER_REGION else SpaceClass.W_SPACE
    return SpaceClass.ABYSSAL if region_id in ABYSSAL_REGIONS else SpaceClass.OTHER


def _known_space(region_id: int, security_status: float) -> SpaceClass:
    if region_id == POCHVEN_REGION:
        return SpaceClass.POCHVEN
    if region_id == ZARZAKH_REGION:
        return SpaceClass.ZARZAKH
    if security_status >= HIGHSEC_FROM:
        return SpaceClass.HIGHSEC
    return SpaceClass.LOWSEC if security_status >= LOWSEC_FROM else SpaceClass.NULLSEC


def location_label(region_id: int, security_status: float) -> str | None:
    """Return the `loc:` label of a killmail there; None where zKillboard gives none, as in Pochven."""
    found = space_class_of(region_id, security_status)
    return f"loc:{found.value}" if found in LABELLED else None
