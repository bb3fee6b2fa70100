"""Resolvers of what is known of types, groups and categories beyond their names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.paging.pages import bad_request, checked_size
from killreport.api.universe.killmail_lists import WithId
from killreport.clock import utc_now
from killreport.entity.kind import EntityKind
from killreport.entity.type_details import TypeDetail, find_type_details
from killreport.eve.universe import Type
from killreport.leaderboard.statistics import Totals
from killreport.leaderboard.types import find_totals, sum_totals
from killreport.market.history import DayPrice, list_prices_of
from killreport.market.price import Price

MAX_DAYS = 366
MAX_PRICES = 20_000

resolvers = Resolvers()


def _static(known: str, read: str) -> BatchResolver:
    """Return the resolver of what the static data has of each, None of what it does not know."""

    def resolve(parents: Sequence[WithId], info: Info) -> list[Any]:
        found: Mapping[int, Any] = getattr(info.context.views.universe, known)
        return [getattr(found[parent.id], read) if parent.id in found else None for parent in parents]

    return resolve


def resolve_slots(parents: Sequence[WithId], info: Info) -> list[Type | None]:
    """Return each hull for its slots, None for what has none of any kind."""
    types = info.context.views.universe.types
    found = [types.get(parent.id) for parent in parents]
    return [
        one if one and any((one.high_slots, one.mid_slots, one.low_slots, one.rig_slots)) else None for one in found
    ]


async def resolve_detail(parents: Sequence[WithId], info: Info) -> list[TypeDetail | None]:
    """Return what ESI told of each type."""
    async with info.context.database.connection() as connection:
        found = await find_type_details(connection, {parent.id for parent in parents})
    return [found.get(parent.id) for parent in parents]


async def resolve_price(parents: Sequence[WithId], info: Info) -> list[Price]:
    """Return today's price of each type."""
    prices = await info.context.prices.prices({parent.id for parent in parents}, utc_now().date())
    return [prices[parent.id] for parent in parents]


async def resolve_price_history(parents: Sequence[WithId], info: Info, *, days: int) -> list[list[DayPrice]]:
    """Return the market days of each type."""
    checked_size("days", days, MAX_DAYS)
    wanted = {parent.id for parent in parents}
    if days * len(wanted) > MAX_PRICES:
        raise bad_request(f"`days` of all types together may be {MAX_PRICES}, not {days * len(wanted)}.")
    today = utc_now().date()
    async with info.context.database.connection() as connection:
        found = await list_prices_of(connection, wanted, first=today - timedelta(days=days - 1), last=today)
    return [found[parent.id] for parent in parents]


async def resolve_category_totals(parents: Sequence[WithId], info: Info) -> list[Totals]:
    """Return the sums of each category's groups."""
    groups_of = info.context.views.tree.groups_of_category
    groups = {group for parent in parents for group in groups_of.get(parent.id, ())}
    async with info.context.database.connection() as connection:
        found = await find_totals(connection, EntityKind.SHIP_GROUP, groups)
    return [
        sum_totals([found[group] for group in groups_of.get(parent.id, ()) if group in found]) for parent in parents
    ]


for _type, _known in (("Type", "types"), ("Group", "groups"), ("Category", "categories")):
    resolvers.field(_type, "published", _static(_known, "is_published"))
resolvers.field("Type", "slots", resolve_slots)
resolvers.columns(
    "TypeSlots",
    **{slot: (lambda one, name=f"{slot}_slots": getattr(one, name) or 0) for slot in ("high", "mid", "low", "rig")},
)
resolvers.field("Type", "slot", _static("types", "slot"))
resolvers.field("Type", "detail", resolve_detail)
resolvers.field("Type", "price", resolve_price)
resolvers.columns(
    "TypePrice",
    day=lambda _price: utc_now().date(),
    isk=lambda price: price.cents if price.is_known else None,
    rule="rule.name",
    explanation="rule.explanation",
)
resolvers.field("Type", "priceHistory", resolve_price_history)
resolvers.columns("DayPrice", average="average_cents")
resolvers.field("Category", "totals", resolve_category_totals)
