"""What a ship carried, as the API lays it out: a line for what is alike in a section."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal

from killreport.web.amounts import NO_PRICE, count, isk_full, isk_short, sum_full, sum_short
from killreport.web.images import Images, Tile
from killreport.web.model import ApiItem, ApiSection
from killreport.web.parties import type_name

ICON_PIXELS = 28
BLUEPRINT_COPY = 2


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
    """Everything in one section of the fitting."""

    title: str
    value_text: str
    value_title: str
    lines: list[ItemLine]


def slot_groups(sections: Sequence[ApiSection], images: Images) -> list[SlotGroup]:
    """Return the sections that have anything in them, in their order; in a slot the module comes first."""
    groups = []
    for section in sections:
        lines = list(_lines([*section.fitted, *section.items], images, 0))
        total, is_complete = Decimal(section.worth.total), section.worth.is_complete
        if lines:
            groups.append(
                SlotGroup(
                    section.slot_name,
                    sum_short(total, is_complete=is_complete),
                    sum_full(total, is_complete=is_complete, unit=" ISK"),
                    lines,
                )
            )
    return groups


def _lines(items: Iterable[ApiItem], images: Images, depth: int) -> Iterator[ItemLine]:
    """Yield the lines of items of one place; equal ones are added up, a container with contents stands alone."""
    merged: dict[tuple[int, int, str | None], ItemLine] = {}
    made: list[tuple[ItemLine, Sequence[ApiItem]]] = []
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


def _line(item: ApiItem, images: Images, depth: int) -> ItemLine:
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
