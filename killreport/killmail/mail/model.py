"""A killmail as ESI gives it. Immutable; unknown keys of the source are ignored, absent ids are None.

Bounds are those of the columns that hold the values: what does not fit is refused with its path, never cut.
An id is never 0 here: some sources write 0 for "nobody", `killreport.killmail.mail.legacy` reads that as absent.
Source of the shape: ESI `GET /killmails/{id}/{hash}`, compatibility date 2026-08-18.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

import msgspec

from killreport.decoding import EntityId

MAX_INT2 = 2**15 - 1
MAX_INT8 = 2**63 - 1
FARTHEST_METRES = 1e18  # a hundred light years; the farthest of 41,000 real positions is 2.1e13
MAX_SECURITY = 100.0  # the game keeps a pilot within -10 and +10

Id8 = Annotated[int, msgspec.Meta(ge=1, le=MAX_INT8)]
Int2 = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT2)]
Int8 = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT8)]
Metres = Annotated[float, msgspec.Meta(ge=-FARTHEST_METRES, le=FARTHEST_METRES)]
Security = Annotated[float, msgspec.Meta(ge=-MAX_SECURITY, le=MAX_SECURITY)]
Instant = Annotated[datetime, msgspec.Meta(tz=True)]


class Position(msgspec.Struct, gc=False, frozen=True):
    """Metres from the system's star."""

    x: Metres
    y: Metres
    z: Metres


class Item(msgspec.Struct, gc=False, frozen=True):
    """One row of what the victim carried; `items` is what a container held."""

    item_type_id: EntityId
    flag: Int2
    singleton: Int2 = 0
    quantity_dropped: Int8 | None = None
    quantity_destroyed: Int8 | None = None
    items: tuple[Item, ...] | None = None


class Victim(msgspec.Struct, gc=False, frozen=True):
    """Who lost what. A structure has no character; a ship in an NPC's hands has no corporation of players."""

    ship_type_id: EntityId
    damage_taken: Int8 = 0
    character_id: EntityId | None = None
    corporation_id: EntityId | None = None
    alliance_id: EntityId | None = None
    faction_id: EntityId | None = None
    position: Position | None = None
    items: tuple[Item, ...] | None = None


class Attacker(msgspec.Struct, gc=False, frozen=True):
    """One party to the kill, player or not."""

    damage_done: Int8 = 0
    final_blow: bool = False
    security_status: Security | None = None
    character_id: EntityId | None = None
    corporation_id: EntityId | None = None
    alliance_id: EntityId | None = None
    faction_id: EntityId | None = None
    ship_type_id: EntityId | None = None
    weapon_type_id: EntityId | None = None


class Killmail(msgspec.Struct, gc=False, frozen=True):
    """The whole mail. `killmail_time` is aware and in UTC; attackers keep the order of the source."""

    killmail_id: Id8
    killmail_time: Instant
    solar_system_id: EntityId
    victim: Victim
    attackers: tuple[Attacker, ...]
    war_id: Id8 | None = None
    moon_id: Id8 | None = None

    @property
    def final_blow(self) -> Attacker:
        """Return the attacker who struck the final blow; `decode` has made sure there is exactly one."""
        return next(attacker for attacker in self.attackers if attacker.final_blow)
