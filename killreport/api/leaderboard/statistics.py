"""Resolvers of statistics and top lists: one statement a figure, whatever the number of entities."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from killreport.api.context import ApiContext, Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import KINDS, NamedEntity, find_named
from killreport.api.paging.pages import checked_size
from killreport.clock import utc_now
from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.leaderboard.model import Window, first_day
from killreport.leaderboard.statistics import (
    Counted,
    Totals,
    list_activity,
    list_months_of,
    list_totals,
    list_totals_between,
)
from killreport.leaderboard.tops import Tops, list_tops_of

resolvers = Resolvers()
_MAX_ENTRIES = 100
_GROUPS = 50


@dataclass(frozen=True, slots=True)
class StatisticsView:
    """Whose figures, over which days; every figure is read when it is asked for."""

    counted: Counted
    window: Window


@dataclass(frozen=True, slots=True)
class TopEntryView:
    """One line of a list."""

    entity: NamedEntity | None
    count: int


@dataclass(frozen=True, slots=True)
class TopListsView:
    """Whom an entity kills, where and with what. entries: by the field they are."""

    tops: Tops
    entries: Mapping[str, list[TopEntryView]]


# By field: which list of `Tops`, and of what.
_Lists = Mapping[str, tuple[str, EntityKind]]
_SHIP_GROUPS: _Lists = {
    "used": ("groups_used", EntityKind.SHIP_GROUP),
    "lost": ("groups_lost", EntityKind.SHIP_GROUP),
}
_TOP_LISTS: _Lists = {
    "characters": ("characters", EntityKind.CHARACTER),
    "corporations": ("corporations", EntityKind.CORPORATION),
    "alliances": ("alliances", EntityKind.ALLIANCE),
    "solarSystems": ("solar_systems", EntityKind.SOLAR_SYSTEM),
    "regions": ("regions", EntityKind.REGION),
    "shipTypes": ("ship_types", EntityKind.SHIP_TYPE),
    "weapons": ("weapons", EntityKind.SHIP_TYPE),
    "groupsUsed": _SHIP_GROUPS["used"],
    "groupsLost": _SHIP_GROUPS["lost"],
}


def _statistics(kind: EntityKind) -> BatchResolver:
    def resolve(entities: Sequence[Any], _info: Info, *, window: str) -> list[StatisticsView]:
        return [StatisticsView(Counted(kind, entity.id), Window[window]) for entity in entities]

    return resolve


async def resolve_totals(statistics: Sequence[StatisticsView], info: Info) -> list[Totals]:
    """Return the sums of the window of each; all parents of a field have one window."""
    counted = [one.counted for one in statistics]
    today = utc_now().date()
    first = first_day(statistics[0].window, today)
    async with info.context.database.connection() as connection:
        if first is None:
            return await list_totals(connection, counted)
        return await list_totals_between(connection, counted, first, today)


def _counts(read: Callable[[Connection, Sequence[Counted]], Awaitable[list[Any]]]) -> BatchResolver:
    """Return the resolver of a figure over the whole life of each."""

    async def resolve(statistics: Sequence[StatisticsView], info: Info) -> list[Any]:
        async with info.context.database.connection() as connection:
            return await read(connection, [one.counted for one in statistics])

    return resolve


async def resolve_ship_groups(statistics: Sequence[StatisticsView], info: Info) -> list[TopListsView | None]:
    """Return the groups of ships of each; parents of a field are of one kind and have one window."""
    kind = statistics[0].counted.kind
    if kind is EntityKind.FACTION:
        return [None] * len(statistics)
    ids = [one.counted.id for one in statistics]
    return [*await _load_tops(info.context, kind, ids, window=statistics[0].window, limit=_GROUPS, lists=_SHIP_GROUPS)]


def _top_lists(kind: EntityKind) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: Info, *, window: str, first: int) -> list[TopListsView]:
        checked_size("first", first, _MAX_ENTRIES)
        ids = [entity.id for entity in entities]
        return await _load_tops(info.context, kind, ids, window=Window[window], limit=first, lists=_TOP_LISTS)

    return resolve


async def _load_tops(
    context: ApiContext, kind: EntityKind, ids: Sequence[int], *, window: Window, limit: int, lists: _Lists
) -> list[TopListsView]:
    async with context.database.connection() as connection:
        tops = await list_tops_of(
            connection, kind, ids, window, today=utc_now().date(), universe=context.views.universe, limit=limit
        )
    found = [(of, getattr(tops[entity_id], name)) for entity_id in ids for name, of in lists.values()]
    named = iter(await find_named(context, [(of, top.entity_id) for of, list_ in found for top in list_]))
    entries = iter([[TopEntryView(next(named), top.killmails) for top in list_] for _, list_ in found])
    return [TopListsView(tops[entity_id], {field: next(entries) for field in lists}) for entity_id in ids]


def _entries(field: str, view: TopListsView) -> list[TopEntryView]:
    return view.entries[field]


for _name in ("Character", "Corporation", "Alliance"):
    resolvers.field(_name, "statistics", _statistics(KINDS[_name]))
    resolvers.field(_name, "topLists", _top_lists(KINDS[_name]))
resolvers.field("Faction", "statistics", _statistics(EntityKind.FACTION))
for _type, _lists in (("TopLists", _TOP_LISTS), ("ShipGroupLists", _SHIP_GROUPS)):
    resolvers.columns(_type, since="tops.since", isComplete="tops.is_complete")
    resolvers.columns(_type, **{field: partial(_entries, field) for field in _lists})
resolvers.field("EntityStatistics", "totals", resolve_totals)
resolvers.field("EntityStatistics", "months", _counts(list_months_of))
resolvers.field("EntityStatistics", "activity", _counts(list_activity))
resolvers.field("EntityStatistics", "shipGroups", resolve_ship_groups)
resolvers.columns("EntityMonth", figures="totals")
resolvers.columns(
    "EntityTotals", iskDestroyed="isk_destroyed_cents", iskLost="isk_lost_cents", npcIskLost="npc_isk_lost_cents"
)
resolvers.columns("Figures", iskDestroyed="isk_destroyed_cents", iskLost="isk_lost_cents", points="points_won")
