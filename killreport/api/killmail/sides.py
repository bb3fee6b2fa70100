"""What the row of a killmail holds within itself, as the schema shows it: both sides, the worth, the links.

An answer makes thousands of these, and of most only some fields are asked. So they are little more than the row, and
everything else is made when it is read.
"""

from __future__ import annotations

from operator import attrgetter
from typing import Any

import msgspec

from killreport.api.entity.met import CharacterView, NamedGroupView
from killreport.api.entity.views import EntityViews
from killreport.api.universe.views import FactionView, TypeView, UniverseViews
from killreport.killmail.queries import KillmailRow
from killreport.market.price import PriceRule

_PRICE_RULES = {rule.value: rule for rule in PriceRule}


def of_row(column: str) -> Any:
    """Return a property that is a column of the view's `row`, read without running a line of Python."""
    return property(attrgetter(f"row.{column}"))


def price_rule(number: int) -> PriceRule:
    """Return the stored price rule; UNKNOWN for a number that a newer release may have written."""
    return _PRICE_RULES.get(number, PriceRule.UNKNOWN)


class PositionView(msgspec.Struct, frozen=True, gc=False):
    """Metres from the star."""

    x: float
    y: float
    z: float


class VictimView:
    """Who lost what."""

    __slots__ = ("_entities", "_views", "row")

    def __init__(self, row: KillmailRow, entities: EntityViews, views: UniverseViews) -> None:
        self.row, self._entities, self._views = row, entities, views

    damage_taken: int = of_row("damage_taken")

    @property
    def character(self) -> CharacterView | None:
        """Return the pilot."""
        return self._entities.character(self.row.victim_character_id)

    @property
    def corporation(self) -> NamedGroupView | None:
        """Return the pilot's, or the structure's, corporation."""
        return self._entities.corporation(self.row.victim_corporation_id)

    @property
    def alliance(self) -> NamedGroupView | None:
        """Return the corporation's alliance."""
        return self._entities.alliance(self.row.victim_alliance_id)

    @property
    def faction(self) -> FactionView | None:
        """Return the faction."""
        return self._views.faction(self.row.victim_faction_id)

    @property
    def ship_type(self) -> TypeView:
        """Return what was lost."""
        return self._views.type(self.row.ship_type_id)

    @property
    def position(self) -> PositionView | None:
        """Return where, None where the source does not say."""
        x, y, z = self.row.position_x, self.row.position_y, self.row.position_z
        return None if x is None or y is None or z is None else PositionView(x, y, z)


class FinalBlowView:
    """Who struck the final blow, from the killmail's own row."""

    __slots__ = ("_entities", "_views", "row")

    def __init__(self, row: KillmailRow, entities: EntityViews, views: UniverseViews) -> None:
        self.row, self._entities, self._views = row, entities, views

    @property
    def character(self) -> CharacterView | None:
        """Return the pilot."""
        return self._entities.character(self.row.final_blow_character_id)

    @property
    def corporation(self) -> NamedGroupView | None:
        """Return the corporation."""
        return self._entities.corporation(self.row.final_blow_corporation_id)

    @property
    def alliance(self) -> NamedGroupView | None:
        """Return the corporation's alliance."""
        return self._entities.alliance(self.row.final_blow_alliance_id)

    @property
    def faction(self) -> FactionView | None:
        """Return the faction."""
        return self._views.faction(self.row.final_blow_faction_id)

    @property
    def ship_type(self) -> TypeView | None:
        """Return the ship."""
        return self._views.type_or_none(self.row.final_blow_ship_type_id)

    @property
    def weapon_type(self) -> TypeView | None:
        """Return the weapon."""
        return self._views.type_or_none(self.row.final_blow_weapon_type_id)


class ValuesView:
    """Worth of the loss, in hundredths of an ISK."""

    __slots__ = ("row",)

    def __init__(self, row: KillmailRow) -> None:
        self.row = row

    ship: int = of_row("ship_value_cents")
    fitted: int = of_row("fitted_value_cents")
    dropped: int = of_row("dropped_value_cents")
    destroyed: int = of_row("destroyed_value_cents")
    total: int = of_row("total_value_cents")

    @property
    def ship_price_rule(self) -> str:
        """Return the name of the rule behind the hull's price."""
        return price_rule(self.row.ship_price_rule).name

    @property
    def ship_price_explanation(self) -> str:
        """Return what the rule means."""
        return price_rule(self.row.ship_price_rule).explanation


class LinksView(msgspec.Struct, frozen=True, gc=False):
    """Addresses of the same killmail elsewhere."""

    zkillboard: str
    esi: str
