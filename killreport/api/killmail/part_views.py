"""Attackers and items as the schema shows them; everything beyond the row is made when it is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from killreport.api.entity.met import CharacterView, NamedGroupView
from killreport.api.entity.views import EntityViews
from killreport.api.killmail.sides import of_row, price_rule
from killreport.api.universe.views import FactionView, TypeView, UniverseViews
from killreport.eve.flags import bay_of, flag_name
from killreport.killmail.queries import AttackerRow, ItemRow


class AttackerView:
    """One party to the kill."""

    __slots__ = ("_entities", "_views", "row")

    def __init__(self, row: AttackerRow, entities: EntityViews, views: UniverseViews) -> None:
        self.row, self._entities, self._views = row, entities, views

    ordinal: int = of_row("ordinal")
    damage_done: int = of_row("damage_done")
    final_blow: bool = of_row("is_final_blow")

    @property
    def character(self) -> CharacterView | None:
        """Return the pilot."""
        return self._entities.character(self.row.character_id)

    @property
    def corporation(self) -> NamedGroupView | None:
        """Return the corporation."""
        return self._entities.corporation(self.row.corporation_id)

    @property
    def alliance(self) -> NamedGroupView | None:
        """Return the corporation's alliance."""
        return self._entities.alliance(self.row.alliance_id)

    @property
    def faction(self) -> FactionView | None:
        """Return the faction."""
        return self._views.faction(self.row.faction_id)

    @property
    def ship_type(self) -> TypeView | None:
        """Return the ship."""
        return self._views.type_or_none(self.row.ship_type_id)

    @property
    def weapon_type(self) -> TypeView | None:
        """Return the weapon."""
        return self._views.type_or_none(self.row.weapon_type_id)

    @property
    def security_status(self) -> float | None:
        """Return it to two digits: the column is a 4-byte real, ESI gives at most one that matters, more are noise."""
        found = self.row.security_status
        return None if found is None else round(found, 2)


class ItemView:
    """One item with what was inside it."""

    __slots__ = ("_views", "items", "row")

    def __init__(self, row: ItemRow, items: list[ItemView], views: UniverseViews) -> None:
        self.row, self.items, self._views = row, items, views

    flag: int = of_row("flag")
    quantity_dropped: int = of_row("quantity_dropped")
    quantity_destroyed: int = of_row("quantity_destroyed")
    singleton: int = of_row("singleton")
    # In hundredths of an ISK.
    unit_price: int = of_row("unit_price_cents")

    @property
    def type(self) -> TypeView:
        """Return what it is."""
        return self._views.type(self.row.type_id)

    @property
    def flag_name(self) -> str:
        """Return the place in the ship."""
        return flag_name(self.row.flag)

    @property
    def slot(self) -> str:
        """Return the bay's name in the schema."""
        return bay_of(self.row.flag).value

    @property
    def slot_name(self) -> str:
        """Return the bay's name for people."""
        return bay_of(self.row.flag).label

    @property
    def price_rule(self) -> str:
        """Return the name of the rule behind the price."""
        return price_rule(self.row.price_rule).name

    @property
    def price_explanation(self) -> str:
        """Return what the rule means."""
        return price_rule(self.row.price_rule).explanation


def item_tree(rows: Sequence[ItemRow], views: UniverseViews) -> list[ItemView]:
    """Return the items that are in no container, in order, with their contents below them."""
    contents: defaultdict[int | None, list[ItemView]] = defaultdict(list)
    for row in reversed(rows):
        # Contents come after their container, so that going backwards they are complete when it is reached.
        view = ItemView(row, contents.pop(row.ordinal, [])[::-1], views)
        contents[row.parent_ordinal].append(view)
    return contents[None][::-1]
