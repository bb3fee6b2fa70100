"""Resolvers of what is known of types, groups and categories beyond their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.paging.pages import bad_request, checked_size
from killreport.api.universe.killmail_lists import KillTotalsView, WithId, killmails_of, totals_of, totals_view
from killreport.clock import utc_now
from killreport.entity.kind import EntityKind
from killreport.entity.type_details import TypeDetail, find_type_details
from killreport.killmail.lists.of_places import IndexedColumn
from killreport.leaderboard.types import find_totals, sum_totals
from killreport.market.history import list_prices_of

MAX_DAYS = 366
MAX_PRICES = 20_000

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class TypeSlotsView:
    """How many slots a hull has."""

    high: int
    mid: int
    low: int
    rig: int


@dataclass(frozen=True, slots=True)
class TypePriceView:
    """What one unit is worth; isk is in hundredths, None where no price is known."""

    day: date
    isk: int | None
    rule: str
    explanation: str


@dataclass(frozen=True, slots=True)
class DayPriceView:
    """A market day; average is in hundredths of an ISK."""

    day: date
    average: int
    source: str


def resolve_slots(parents: Sequence[WithId], info: FieldInfo) -> list[TypeSlotsView | None]:
    """Return the slots of each hull, None for what has none of any kind."""
    types = info.context.views.universe.types
    found = [types.get(parent.id) for parent in parents]
    counts = [(one.high_slots, one.mid_slots, one.low_slots, one.rig_slots) if one else () for one in found]
    return [TypeSlotsView(*(count or 0 for count in four)) if any(four) else None for four in counts]


def resolve_slot(parents: Sequence[WithId], info: FieldInfo) -> list[str | None]:
    """Return where each module is fitted."""
    types = info.context.views.universe.types
    return [types[parent.id].slot if parent.id in types else None for parent in parents]


async def resolve_detail(parents: Sequence[WithId], info: FieldInfo) -> list[TypeDetail | None]:
    """Return what ESI told of each type."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        found = await find_type_details(connection, {parent.id for parent in parents})
    return [found.get(parent.id) for parent in parents]


async def resolve_price(parents: Sequence[WithId], info: FieldInfo) -> list[TypePriceView]:
    """Return today's price of each type."""
    context: ApiContext = info.context
    today = utc_now().date()
    prices = await context.prices.prices({parent.id for parent in parents}, today)
    found = [prices[parent.id] for parent in parents]
    return [
        TypePriceView(today, price.cents if price.is_known else None, price.rule.name, price.rule.explanation)
        for price in found
    ]


async def resolve_price_history(parents: Sequence[WithId], info: FieldInfo, *, days: int) -> list[list[DayPriceView]]:
    """Return the market days of each type."""
    context: ApiContext = info.context
    checked_size("days", days, MAX_DAYS)
    wanted = {parent.id for parent in parents}
    if days * len(wanted) > MAX_PRICES:
        raise bad_request(f"`days` of all types together may be {MAX_PRICES}, not {days * len(wanted)}.")
    today = utc_now().date()
    async with context.database.connection() as connection:
        found = await list_prices_of(connection, wanted, first=today - timedelta(days=days - 1), last=today)
    views = {
        one: [DayPriceView(price.day, price.average_cents, price.source) for price in found[one]] for one in wanted
    }
    return [views[parent.id] for parent in parents]


async def resolve_category_totals(parents: Sequence[WithId], info: FieldInfo) -> list[KillTotalsView]:
    """Return the sums of each category's groups."""
    context: ApiContext = info.context
    groups_of = context.views.tree.groups_of_category
    groups = {group for parent in parents for group in groups_of.get(parent.id, ())}
    async with context.database.connection() as connection:
        found = await find_totals(connection, EntityKind.SHIP_GROUP, groups)
    return [
        totals_view(sum_totals([found[group] for group in groups_of.get(parent.id, ()) if group in found]))
        for parent in parents
    ]


def _resolve_published(name: str) -> Any:
    def resolve(parents: Sequence[WithId], info: FieldInfo) -> list[bool | None]:
        known: Mapping[int, Any] = getattr(info.context.views.universe, name)
        return [known[parent.id].is_published if parent.id in known else None for parent in parents]

    return resolve


for _type, _dict in (("Type", "types"), ("Group", "groups"), ("Category", "categories")):
    resolvers.field(_type, "published", _resolve_published(_dict))
resolvers.field("Type", "slots", resolve_slots)
resolvers.field("Type", "slot", resolve_slot)
resolvers.field("Type", "detail", resolve_detail)
resolvers.field("Type", "price", resolve_price)
resolvers.field("Type", "priceHistory", resolve_price_history)
resolvers.field("Type", "totals", totals_of(EntityKind.SHIP_TYPE))
resolvers.field("Type", "losses", killmails_of(IndexedColumn.SHIP_TYPE))
resolvers.field("Group", "totals", totals_of(EntityKind.SHIP_GROUP))
resolvers.field("Group", "losses", killmails_of(IndexedColumn.SHIP_GROUP))
resolvers.field("Category", "totals", resolve_category_totals)
