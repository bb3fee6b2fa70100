"""Attackers and items as the schema shows them; everything beyond the row is made when it is read."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from killreport.api.views.met import AllianceView, CharacterView, CorporationView
from killreport.api.views.sides import RowView, faction_of, named_by, of_row, price_rule, type_of
from killreport.api.views.universe import FactionView, TypeView, UniverseViews
from killreport.eve.flags import bay_of, flag_name
from killreport.killmail.stored.queries import ItemRow


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


class ItemView:
    """One item with what was inside it."""

    __slots__ = ("_views", "items", "row")

    def __init__(self, row: ItemRow, items: list[ItemView], views: UniverseViews) -> None:
        self.row, self.items, self._views = row, items, views

    flag: int = of_row("flag")
    quantity_dropped: int = of_row("quantity_dropped")
    quantity_destroyed: int = of_row("quantity_destroyed")
    singleton: int = of_row("singleton")
    # In hundredths of an ISK; None where no price is known.
    unit_price: int | None = of_row("known_price_cents")

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
