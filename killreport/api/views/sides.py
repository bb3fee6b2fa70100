"""What the row of a killmail holds within itself, as the schema shows it: both sides, the worth, the links.

An answer makes thousands of these, and of most only some fields are asked. So they are little more than the row, and
everything else is made when it is read.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from killreport.api.views.entity import EntityViews
from killreport.api.views.entity_cache import AllianceView, CharacterView, CorporationView
from killreport.api.views.universe import FactionView, TypeView, UniverseViews
from killreport.market.price import PriceRule

_PRICE_RULES = {rule.value: rule for rule in PriceRule}


def of_row(column: str) -> Any:
    """Return a property that is a column of the view's `row`, read without running a line of Python."""
    return property(attrgetter(f"row.{column}"))


def named_by(column: str, what: str) -> Any:
    """Return a property that is the character, corporation or alliance (`what`) whose id is in a column of the row."""
    read, find = attrgetter(f"row.{column}"), attrgetter(f"entities.{what}")
    return property(lambda view: find(view)(read(view)))


def type_of(column: str) -> Any:
    """Return a property that is the type whose id is in a column of the row, None where it is null."""
    read = attrgetter(f"row.{column}")
    return property(lambda view: view.views.type_or_none(read(view)))


def faction_of(column: str) -> Any:
    """Return a property that is the faction whose id is in a column of the row."""
    read = attrgetter(f"row.{column}")
    return property(lambda view: view.views.faction(read(view)))


def price_rule(number: int) -> PriceRule:
    """Return the stored price rule; UNKNOWN for a number that a newer release may have written."""
    return _PRICE_RULES.get(number, PriceRule.UNKNOWN)


class PositionView(msgspec.Struct, frozen=True, gc=False):
    """Metres from the star."""

    x: float
    y: float
    z: float


class RowView:
    """A view that is a row, and whom and what its ids name."""

    __slots__ = ("entities", "row", "views")

    def __init__(self, row: Any, entities: EntityViews, views: UniverseViews) -> None:
        self.row, self.entities, self.views = row, entities, views


class VictimView(RowView):
    """Who lost what."""

    __slots__ = ()
    character: CharacterView | None = named_by("victim_character_id", "character")
    corporation: CorporationView | None = named_by("victim_corporation_id", "corporation")
    alliance: AllianceView | None = named_by("victim_alliance_id", "alliance")
    faction: FactionView | None = faction_of("victim_faction_id")
    ship_type: TypeView = type_of("ship_type_id")
    damage_taken: int = of_row("damage_taken")

    @property
    def position(self) -> PositionView | None:
        """Return where, None where the source does not say."""
        x, y, z = self.row.position_x, self.row.position_y, self.row.position_z
        return None if x is None or y is None or z is None else PositionView(x, y, z)


class FinalBlowView(RowView):
    """Who struck the final blow, from the killmail's own row."""

    __slots__ = ()
    character: CharacterView | None = named_by("final_blow_character_id", "character")
    corporation: CorporationView | None = named_by("final_blow_corporation_id", "corporation")
    alliance: AllianceView | None = named_by("final_blow_alliance_id", "alliance")
    faction: FactionView | None = faction_of("final_blow_faction_id")
    ship_type: TypeView | None = type_of("final_blow_ship_type_id")
    weapon_type: TypeView | None = type_of("final_blow_weapon_type_id")


class AttackerView(RowView):
    """One party to the kill."""

    __slots__ = ()
    ordinal: int = of_row("ordinal")
    character: CharacterView | None = named_by("character_id", "character")
    corporation: CorporationView | None = named_by("corporation_id", "corporation")
    alliance: AllianceView | None = named_by("alliance_id", "alliance")
    faction: FactionView | None = faction_of("faction_id")
    ship_type: TypeView | None = type_of("ship_type_id")
    weapon_type: TypeView | None = type_of("weapon_type_id")
    damage_done: int = of_row("damage_done")
    final_blow: bool = of_row("is_final_blow")

    @property
    def security_status(self) -> float | None:
        """Return it to two digits: the column is a 4-byte real, ESI gives at most one that matters, more are noise."""
        found: float | None = self.row.security_status
        return None if found is None else round(found, 2)


class LinksView(msgspec.Struct, frozen=True, gc=False):
    """Addresses of the same killmail elsewhere."""

    zkillboard: str
    esi: str
