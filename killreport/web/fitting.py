"""What a ship carried, arranged as pilots read it: by slot, in the order of a written fitting, then the bays."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from killreport.eve.flags import Bay
from killreport.web.amounts import NO_PRICE, count, isk_full, isk_short, sum_full, sum_short
from killreport.web.images import Images, Tile
from killreport.web.model import Item
from killreport.web.parties import type_name

ICON_PIXELS = 28
BLUEPRINT_COPY = 2
CHARGE_CATEGORY = 8
_BAYS = {bay.value: bay for bay in Bay}


@dataclass(slots=True)
class ItemLine:
    """Items of one type in one place, added up; `depth` is how many containers they were in."""

    name: str
    tile: Tile
    dropped: int
    destroyed: int
    unit_price: Decimal | None
    explanation: str
    depth: int

    @property
    def value(self) -> Decimal | None:
        """Return the ISK of all of them, None where no price is known."""
        return None if self.unit_price is None else self.unit_price * (self.dropped + self.destroyed)

    @property
    def value_text(self) -> str:
        """Return the value, short."""
        return NO_PRICE if self.value is None else isk_short(self.value)

    @property
    def value_title(self) -> str:
        """Return how the value came about."""
        if self.value is None or self.unit_price is None:
            return self.explanation
        number = self.dropped + self.destroyed
        return f"{count(number)} × {isk_full(self.unit_price)} ISK = {isk_full(self.value)} ISK. {self.explanation}"

    @property
    def fate(self) -> str:
        """Return the CSS class: what became of them."""
        if self.dropped and self.destroyed:
            return "mixed"
        return "dropped" if self.dropped else "destroyed"


@dataclass(slots=True)
class SlotGroup:
    """Everything in one group of slots or one bay."""

    title: str
    lines: list[ItemLine] = field(default_factory=list)

    @property
    def value_text(self) -> str:
        """Return the ISK of the group, short."""
        return sum_short(self.total, is_complete=self.is_complete)

    @property
    def value_title(self) -> str:
        """Return the ISK of the group in full."""
        return sum_full(self.total, is_complete=self.is_complete, unit=" ISK")

    @property
    def total(self) -> Decimal:
        """Return the ISK of the group, as far as it is known."""
        return sum((line.value or Decimal(0) for line in self.lines), Decimal(0))

    @property
    def is_complete(self) -> bool:
        """Tell whether every price of the group is known."""
        return all(line.value is not None or not (line.dropped or line.destroyed) for line in self.lines)


def slot_groups(items: Sequence[Item], images: Images) -> list[SlotGroup]:
    """Return the items by section of the fitting, in the order of EVE's written fittings, holds last."""
    sections: defaultdict[Bay, list[Item]] = defaultdict(list)
    for item in items:
        sections[_bay(item.slot)].append(item)
    return [
        SlotGroup(bay.label, list(_lines(sorted(sections[bay], key=_place), images, 0)))
        for bay in sorted(sections, key=lambda bay: bay.order)
    ]


def _bay(slot: str) -> Bay:
    # The API may be of a newer release, with bays this one does not know.
    return _BAYS.get(slot, Bay.OTHER)


def _place(item: Item) -> tuple[int, bool]:
    # In one slot the module comes first, then what was loaded into it.
    category = item.type.group.category if item.type.group is not None else None
    return item.flag, category is not None and category.id == CHARGE_CATEGORY


def _lines(items: Iterable[Item], images: Images, depth: int) -> Iterator[ItemLine]:
    """Yield the lines of items of one place; equal ones are added up, a container with contents stands alone."""
    merged: dict[tuple[int, int, str | None], ItemLine] = {}
    made: list[tuple[ItemLine, Sequence[Item]]] = []
    for item in items:
        key = (item.type.id, item.singleton, item.unit_price)
        known = merged.get(key)
        if known is not None and not item.items:
            known.dropped += item.quantity_dropped
            known.destroyed += item.quantity_destroyed
            continue
        line = _line(item, images, depth)
        made.append((line, item.items))
        if not item.items:
            merged[key] = line
    for line, contents in made:
        yield line
        yield from _lines(contents, images, depth + 1)


def _line(item: Item, images: Images, depth: int) -> ItemLine:
    name = type_name(item.type)
    return ItemLine(
        name=f"{name} (copy)" if item.singleton == BLUEPRINT_COPY else name,
        tile=images.type_tile(item.type, ICON_PIXELS, item.singleton),
        dropped=item.quantity_dropped,
        destroyed=item.quantity_destroyed,
        unit_price=None if item.unit_price is None else Decimal(item.unit_price),
        explanation=item.price_explanation,
        depth=depth,
    )
