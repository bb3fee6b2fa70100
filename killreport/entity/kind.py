"""The kinds of things that are counted, refreshed and searched."""

from __future__ import annotations

from enum import IntEnum


class EntityKind(IntEnum):
    """What a row of `total_stat` or `refresh_ledger` is about. The numbers are stored: never change one."""

    CHARACTER = 1
    CORPORATION = 2
    ALLIANCE = 3
    FACTION = 4
    SHIP_TYPE = 5
    SHIP_GROUP = 6
    SOLAR_SYSTEM = 7
    CONSTELLATION = 8
    REGION = 9
