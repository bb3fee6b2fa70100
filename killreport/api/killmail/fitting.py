"""Items, fittings and valuations of killmails: rows of the domain, read as the schema names them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any

from killreport.api.context import ApiContext, Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.killmail.parts import parts_of
from killreport.api.views.killmail import KillmailView
from killreport.api.views.sides import price_rule
from killreport.api.views.universe import TypeView
from killreport.eve.flags import bay_of, flag_name
from killreport.killmail.shown.dna import dna_text
from killreport.killmail.shown.eft import eft_text
from killreport.killmail.shown.fitting import Fitting, FittingLine, Worth, price_lines
from killreport.killmail.stored.queries import KillmailRow

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class ValuationView:
    """Every price behind the total: of the hull, which is in the row, and of the fitting."""

    row: KillmailRow
    fitting: Fitting

    @property
    def lines(self) -> list[FittingLine]:
        """Return the lines of all sections."""
        return [line for section in self.fitting.sections for line in price_lines(section)]


async def resolve_fitting(killmails: Sequence[KillmailView], info: Info) -> list[Fitting]:
    """Return the fitting of each killmail."""
    return await _fittings(killmails, info.context)


async def resolve_eft(killmails: Sequence[KillmailView], info: Info) -> list[str]:
    """Return each fitting in EFT's format."""
    return [
        eft_text(fitting, info.context.views.universe, f"Killmail {killmail.id}")
        for killmail, fitting in zip(killmails, await _fittings(killmails, info.context), strict=True)
    ]


async def resolve_dna(killmails: Sequence[KillmailView], info: Info) -> list[str]:
    """Return each fitting as the game's own short form."""
    return [dna_text(fitting, info.context.views.universe) for fitting in await _fittings(killmails, info.context)]


async def resolve_valuation(killmails: Sequence[KillmailView], info: Info) -> list[ValuationView]:
    """Return every price of each killmail."""
    return list(map(ValuationView, (one.row for one in killmails), await _fittings(killmails, info.context)))


async def _fittings(killmails: Sequence[KillmailView], context: ApiContext) -> list[Fitting]:
    parts = parts_of(killmails, context)
    items = await parts.items.get()
    return [parts.fitting(killmail.row, items) for killmail in killmails]


def _type_in(column: str) -> BatchResolver:
    """Return the resolver of the type whose id is there."""
    read = attrgetter(column)

    def resolve(parents: Sequence[Any], info: Info) -> list[TypeView]:
        return list(map(info.context.views.type, map(read, parents)))

    return resolve


def _by_rule(column: str, name: str) -> Callable[[Any], str]:
    """Return what reads the name or the explanation of a price rule whose number is there."""
    number, told = attrgetter(column), attrgetter(name)
    return lambda parent: told(price_rule(number(parent)))


resolvers.field("Killmail", "fitting", resolve_fitting)
resolvers.field("Killmail", "eft", resolve_eft)
resolvers.field("Killmail", "dna", resolve_dna)
resolvers.field("Killmail", "valuation", resolve_valuation)
for _name, _type, _price, _rule in (
    ("Item", "row.type_id", "row.known_price_cents", "row.price_rule"),
    ("PriceLine", "row.type_id", "row.known_price_cents", "row.price_rule"),
    ("HullPrice", "ship_type_id", "known_ship_value_cents", "ship_price_rule"),
):
    resolvers.field(_name, "type", _type_in(_type))
    resolvers.columns(
        _name,
        unitPrice=_price,
        priceRule=_by_rule(_rule, "name"),
        priceExplanation=_by_rule(_rule, "explanation"),
    )
resolvers.columns(
    "Item",
    flag="row.flag",
    flagName=lambda item: flag_name(item.row.flag),
    slot=lambda item: bay_of(item.row.flag).value,
    slotName=lambda item: bay_of(item.row.flag).label,
    quantityDropped="row.quantity_dropped",
    quantityDestroyed="row.quantity_destroyed",
    singleton="row.singleton",
    items="contents",
)
for _name in ("FittingSection", "PriceSection", "PriceLine"):
    resolvers.columns(_name, slot="bay.value", slotName="bay.label")
resolvers.columns("Fitting", worth="items")
resolvers.columns("FittingSection", items="contents")
resolvers.columns("FittingSlot", worth=lambda slot: sum((content.worth for content in slot.contents), Worth()))
resolvers.columns("PriceLine", quantityDropped="dropped", quantityDestroyed="destroyed")
resolvers.columns(
    "Valuation",
    hull="row",
    sections="fitting.sections",
    total="row.total_value_cents",
    isComplete="row.is_worth_known",
)
resolvers.columns(
    "KillmailValues",
    ship="known_ship_value_cents",
    shipPriceRule=_by_rule("ship_price_rule", "name"),
    shipPriceExplanation=_by_rule("ship_price_rule", "explanation"),
    fitted="fitted_value_cents",
    dropped="dropped_value_cents",
    destroyed="destroyed_value_cents",
    total="total_value_cents",
    isComplete="is_worth_known",
)
