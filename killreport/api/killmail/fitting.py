"""The fitting and the valuation of killmails as the schema shows them. Money is in hundredths of an ISK."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext, Info
from killreport.api.killmail.parts import parts_of
from killreport.api.views.killmail import KillmailView
from killreport.api.views.parts import ItemView
from killreport.api.views.sides import price_rule
from killreport.api.views.universe import TypeView, UniverseViews
from killreport.eve.flags import Bay
from killreport.killmail.shown.dna import dna_text
from killreport.killmail.shown.eft import eft_text
from killreport.killmail.shown.fitting import Content, Fitting, Section, Slot, Worth


@dataclass(frozen=True, slots=True)
class SlotView:
    """A place for one module."""

    number: int
    flag: int
    module: ItemView | None
    charges: list[ItemView]
    worth: Worth


@dataclass(frozen=True, slots=True)
class SectionView:
    """A bay with what was in it."""

    slot: str
    slot_name: str
    slots: list[SlotView]
    items: list[ItemView]
    worth: Worth


@dataclass(frozen=True, slots=True)
class FittingView:
    """All that the ship carried, in sections."""

    sections: list[SectionView]
    worth: Worth


@dataclass(frozen=True, slots=True)
class PriceLineView:
    """All of one type at one price in one section."""

    type: TypeView
    slot: str
    slot_name: str
    quantity_dropped: int
    quantity_destroyed: int
    unit_price: int | None
    price_rule: str
    price_explanation: str
    worth: Worth | None


@dataclass(frozen=True, slots=True)
class PriceSectionView:
    """The sum of a section."""

    slot: str
    slot_name: str
    worth: Worth


@dataclass(frozen=True, slots=True)
class HullPriceView:
    """What the hull counted."""

    type: TypeView
    unit_price: int | None
    price_rule: str
    price_explanation: str


@dataclass(frozen=True, slots=True)
class ValuationView:
    """Every price behind the total."""

    hull: HullPriceView
    lines: list[PriceLineView]
    sections: list[PriceSectionView]
    total: int
    is_complete: bool


async def resolve_fitting(killmails: Sequence[KillmailView], info: Info) -> list[FittingView]:
    """Return the fitting of each killmail."""
    return [_fitting_view(fitting, info.context.views) for fitting in await _fittings(killmails, info.context)]


async def resolve_eft(killmails: Sequence[KillmailView], info: Info) -> list[str]:
    """Return each fitting in EFT's format."""
    fittings = await _fittings(killmails, info.context)
    return [
        eft_text(fitting, info.context.views.universe, f"Killmail {killmail.id}")
        for killmail, fitting in zip(killmails, fittings, strict=True)
    ]


async def resolve_dna(killmails: Sequence[KillmailView], info: Info) -> list[str]:
    """Return each fitting as the game's own short form."""
    return [dna_text(fitting, info.context.views.universe) for fitting in await _fittings(killmails, info.context)]


async def resolve_valuation(killmails: Sequence[KillmailView], info: Info) -> list[ValuationView]:
    """Return every price of each killmail."""
    fittings = await _fittings(killmails, info.context)
    return [
        _valuation_view(killmail, fitting, info.context.views)
        for killmail, fitting in zip(killmails, fittings, strict=True)
    ]


async def _fittings(killmails: Sequence[KillmailView], context: ApiContext) -> list[Fitting]:
    parts = parts_of(killmails, context)
    items = await parts.items.get()
    return [parts.fitting(killmail.row, items) for killmail in killmails]


def _fitting_view(fitting: Fitting, views: UniverseViews) -> FittingView:
    return FittingView([_section_view(section, views) for section in fitting.sections], fitting.items)


def _section_view(section: Section, views: UniverseViews) -> SectionView:
    return SectionView(
        slot=section.bay.value,
        slot_name=section.bay.label,
        slots=[_slot_view(slot, views) for slot in section.slots],
        items=[_content_view(content, views) for content in section.contents],
        worth=section.worth,
    )


def _slot_view(slot: Slot, views: UniverseViews) -> SlotView:
    return SlotView(
        number=slot.number,
        flag=slot.flag,
        module=None if slot.module is None else _content_view(slot.module, views),
        charges=[_content_view(charge, views) for charge in slot.charges],
        worth=sum((content.worth for content in slot.contents), Worth()),
    )


def _content_view(content: Content, views: UniverseViews) -> ItemView:
    return ItemView(content.row, [_content_view(inner, views) for inner in content.contents], views)


def _valuation_view(killmail: KillmailView, fitting: Fitting, views: UniverseViews) -> ValuationView:
    values = killmail.values
    return ValuationView(
        hull=HullPriceView(
            killmail.victim.ship_type, values.ship, values.ship_price_rule, values.ship_price_explanation
        ),
        lines=[line for section in fitting.sections for line in _lines(section, views)],
        sections=[PriceSectionView(part.bay.value, part.bay.label, part.worth) for part in fitting.sections],
        total=values.total,
        is_complete=values.is_complete,
    )


def _lines(section: Section, views: UniverseViews) -> list[PriceLineView]:
    """Return a line for each type and price, in the order they first appear; what was in a container counts here."""
    quantities: dict[tuple[int, int | None, int], tuple[int, int]] = {}
    for content in _all_contents(section):
        row = content.row
        key = (row.type_id, row.known_price_cents, row.price_rule)
        dropped, destroyed = quantities.get(key, (0, 0))
        quantities[key] = (dropped + row.quantity_dropped, destroyed + row.quantity_destroyed)
    return [_line(section.bay, key, quantity, views) for key, quantity in quantities.items()]


def _line(bay: Bay, key: tuple[int, int | None, int], quantity: tuple[int, int], views: UniverseViews) -> PriceLineView:
    type_id, price, rule_number = key
    rule = price_rule(rule_number)
    dropped, destroyed = quantity
    return PriceLineView(
        type=views.type(type_id),
        slot=bay.value,
        slot_name=bay.label,
        quantity_dropped=dropped,
        quantity_destroyed=destroyed,
        unit_price=price,
        price_rule=rule.name,
        price_explanation=rule.explanation,
        worth=None if price is None else Worth(dropped * price, destroyed * price),
    )


def _all_contents(section: Section) -> Iterator[Content]:
    for slot in section.slots:
        for content in slot.contents:
            yield from _with_inner(content)
    for content in section.contents:
        yield from _with_inner(content)


def _with_inner(content: Content) -> Iterator[Content]:
    yield content
    for inner in content.contents:
        yield from _with_inner(inner)
