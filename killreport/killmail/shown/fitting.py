"""What the victim carried, as a page shows it: bay by bay and slot by slot, with charges in their modules.

Works on stored rows. Slots come in the order of their flags, empty ones too, as far as the hull's number of slots is
known; a strategic cruiser gets its slots from its subsystems.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from killreport.eve.flags import FIRST_FLAGS, SLOT_WORDS, Bay, bay_of
from killreport.eve.universe import Type, Universe
from killreport.killmail.stored.queries import ItemRow

CHARGE_CATEGORY = 8
MAX_SLOTS = 8  # flags of one bay of slots


@dataclass(frozen=True, slots=True)
class Worth:
    """Values in cents of ISK. is_complete: False where something among it has no known price, and adds nothing."""

    dropped: int = 0
    destroyed: int = 0
    is_complete: bool = True

    @property
    def total(self) -> int:
        """Return both together."""
        return self.dropped + self.destroyed

    def __add__(self, other: Worth) -> Worth:
        return Worth(
            self.dropped + other.dropped, self.destroyed + other.destroyed, self.is_complete and other.is_complete
        )


@dataclass(frozen=True, slots=True)
class Content:
    """A row of the killmail with what was inside it. The worth of `worth` includes the contents."""

    row: ItemRow
    contents: tuple[Content, ...]

    @property
    def quantity(self) -> int:
        """Return how many there were."""
        return self.row.quantity_dropped + self.row.quantity_destroyed

    @property
    def worth(self) -> Worth:
        """Return what the row and its contents were worth."""
        price = self.row.known_price_cents
        if price is None:
            own = Worth(is_complete=not self.quantity)
        else:
            own = Worth(self.row.quantity_dropped * price, self.row.quantity_destroyed * price)
        return sum((content.worth for content in self.contents), own)


@dataclass(frozen=True, slots=True)
class FittingSlot:
    """A place for one module. number: from 1. charges: one row for the dropped, one for the destroyed, as a rule.

    module: None where the slot is empty, or only a charge is told of it. Where a mail names two modules at one flag,
    there are two slots with that number, the charges in the first.
    """

    number: int
    flag: int
    module: Content | None
    charges: tuple[Content, ...]

    @property
    def contents(self) -> tuple[Content, ...]:
        """Return all that is in it, the module first."""
        return self.charges if self.module is None else (self.module, *self.charges)


@dataclass(frozen=True, slots=True)
class FittingSection:
    """A bay with what was in it. slots: of a bay that has numbered ones; contents: of every other."""

    bay: Bay
    slots: tuple[FittingSlot, ...]
    contents: tuple[Content, ...]
    worth: Worth

    def everything(self) -> Iterator[Content]:
        """Yield all that is in it, what is inside a container after that."""
        for content in (*(content for slot in self.slots for content in slot.contents), *self.contents):
            yield from _with_inner(content)


@dataclass(frozen=True, slots=True)
class FittingLine:
    """All of one type at one price in one section. row: the first of them."""

    bay: Bay
    row: ItemRow
    dropped: int
    destroyed: int

    @property
    def worth(self) -> Worth | None:
        """Return what they were worth together, None where no price is known."""
        price = self.row.known_price_cents
        return None if price is None else Worth(self.dropped * price, self.destroyed * price)


@dataclass(frozen=True, slots=True)
class Fitting:
    """The sections in the order of `Bay`; those without slots or contents are left out. items: without the hull."""

    ship_type_id: int
    sections: tuple[FittingSection, ...]
    items: Worth

    def section(self, bay: Bay) -> FittingSection | None:
        """Return the section of a bay, None where there is nothing of it."""
        return next((section for section in self.sections if section.bay is bay), None)


def price_lines(section: FittingSection) -> list[FittingLine]:
    """Return a line for each type and price, in the order they first appear; what was in a container counts here."""
    lines: dict[tuple[int, int | None, int], FittingLine] = {}
    for content in section.everything():
        row = content.row
        key = (row.type_id, row.known_price_cents, row.price_rule)
        one = lines.get(key) or FittingLine(section.bay, row, 0, 0)
        lines[key] = replace(
            one, dropped=one.dropped + row.quantity_dropped, destroyed=one.destroyed + row.quantity_destroyed
        )
    return list(lines.values())


def lay_out(ship_type_id: int, items: Sequence[ItemRow], universe: Universe) -> Fitting:
    """Return the fitting of a stored killmail. items: all of its rows, in their order."""
    by_bay: dict[Bay, list[Content]] = defaultdict(list)
    for content in nest(items):
        by_bay[bay_of(content.row.flag)].append(content)
    sections = []
    for bay in Bay:
        contents = by_bay.get(bay, [])
        slots: tuple[FittingSlot, ...] = ()
        if bay in SLOT_WORDS:
            slots = _slots(
                bay, contents, _slot_number(bay, ship_type_id, by_bay.get(Bay.SUBSYSTEM, ()), universe), universe
            )
        if slots or contents:
            worth = sum((content.worth for content in contents), Worth())
            sections.append(FittingSection(bay, slots, () if slots else tuple(contents), worth))
    return Fitting(ship_type_id, tuple(sections), sum((section.worth for section in sections), Worth()))


def _with_inner(content: Content) -> Iterator[Content]:
    yield content
    for inner in content.contents:
        yield from _with_inner(inner)


def nest(items: Sequence[ItemRow]) -> list[Content]:
    """Return the outermost rows in their order, with theirs inside."""
    # A container comes before its contents, so read from behind.
    inside: dict[int, list[Content]] = defaultdict(list)
    outermost: list[Content] = []
    for row in reversed(items):
        content = Content(row, tuple(reversed(inside.pop(row.ordinal, []))))
        (outermost if row.parent_ordinal is None else inside[row.parent_ordinal]).append(content)
    return outermost[::-1]


def _slot_number(bay: Bay, ship_type_id: int, subsystems: Iterable[Content], universe: Universe) -> int:
    """Return how many slots the hull has in a bay with these subsystems, 0 to MAX_SLOTS; 0 where it is not known."""
    parts = [universe.types.get(ship_type_id), *(universe.types.get(content.row.type_id) for content in subsystems)]
    number = sum(_own_slots(part, bay) for part in parts if part is not None)
    return min(MAX_SLOTS, max(0, number))


def _own_slots(part: Type, bay: Bay) -> int:
    match bay:
        case Bay.HIGH:
            number = part.high_slots
        case Bay.MID:
            number = part.mid_slots
        case Bay.LOW:
            number = part.low_slots
        case Bay.RIG:
            number = part.rig_slots
        case Bay.SERVICE:
            number = part.service_slots
        case _:
            number = None
    return number or 0


def _slots(bay: Bay, contents: Iterable[Content], number: int, universe: Universe) -> tuple[FittingSlot, ...]:
    first = FIRST_FLAGS[bay]
    by_flag: dict[int, list[Content]] = defaultdict(list)
    for content in contents:
        by_flag[content.row.flag].append(content)
    flags = sorted({*range(first, first + number), *by_flag})
    return tuple(slot for flag in flags for slot in _slots_at(flag, flag - first + 1, by_flag.get(flag, []), universe))


def _slots_at(flag: int, number: int, contents: Sequence[Content], universe: Universe) -> Iterator[FittingSlot]:
    """Yield the slot: of what shares a flag, the charges are in the module, whatever order they came in.

    A mail may name two modules at one flag, as one that dropped and one that was destroyed: each is a slot's, none the
    other's charge.
    """
    modules = [c for c in contents if universe.category_id_of(c.row.type_id) != CHARGE_CATEGORY]
    charges = tuple(c for c in contents if universe.category_id_of(c.row.type_id) == CHARGE_CATEGORY)
    yield FittingSlot(number, flag, modules[0] if modules else None, charges)
    for module in modules[1:]:
        yield FittingSlot(number, flag, module, ())
