"""Resolvers of statistics and top lists: one statement a figure, whatever the number of entities."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from operator import attrgetter
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import NamedEntities, NamedEntity, load_named
from killreport.api.paging.pages import checked_size
from killreport.clock import utc_now
from killreport.entity.kind import EntityKind
from killreport.leaderboard.model import Window, first_day
from killreport.leaderboard.statistics import (
    Activity,
    Counted,
    Month,
    Totals,
    list_activity,
    list_months_of,
    list_totals,
    list_totals_between,
)
from killreport.leaderboard.tops import Top, Tops, list_tops_of

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
class ShipGroupsView:
    """Groups of ships, used and lost."""

    since: datetime | None
    is_complete: bool
    used: list[TopEntryView]
    lost: list[TopEntryView]


@dataclass(frozen=True, slots=True)
class TopListsView:
    """Whom an entity kills, where and with what."""

    since: datetime | None
    is_complete: bool
    characters: list[TopEntryView]
    corporations: list[TopEntryView]
    alliances: list[TopEntryView]
    solar_systems: list[TopEntryView]
    regions: list[TopEntryView]
    ship_types: list[TopEntryView]
    weapons: list[TopEntryView]
    groups_used: list[TopEntryView]
    groups_lost: list[TopEntryView]


_LISTS = {
    "characters": EntityKind.CHARACTER,
    "corporations": EntityKind.CORPORATION,
    "alliances": EntityKind.ALLIANCE,
    "solar_systems": EntityKind.SOLAR_SYSTEM,
    "regions": EntityKind.REGION,
    "ship_types": EntityKind.SHIP_TYPE,
    "weapons": EntityKind.SHIP_TYPE,
    "groups_used": EntityKind.SHIP_GROUP,
    "groups_lost": EntityKind.SHIP_GROUP,
}


def _statistics(kind: EntityKind) -> BatchResolver:
    def resolve(entities: Sequence[Any], _info: FieldInfo, *, window: str) -> list[StatisticsView]:
        return [StatisticsView(Counted(kind, entity.id), Window[window]) for entity in entities]

    return resolve


async def resolve_totals(statistics: Sequence[StatisticsView], info: FieldInfo) -> list[Totals]:
    """Return the sums of the window of each; all parents of a field have one window."""
    context: ApiContext = info.context
    counted = [one.counted for one in statistics]
    today = utc_now().date()
    first = first_day(statistics[0].window, today)
    async with context.database.connection() as connection:
        if first is None:
            return await list_totals(connection, counted)
        return await list_totals_between(connection, counted, first, today)


async def resolve_months(statistics: Sequence[StatisticsView], info: FieldInfo) -> list[list[Month]]:
    """Return the months of each."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        return await list_months_of(connection, [one.counted for one in statistics])


async def resolve_activity(statistics: Sequence[StatisticsView], info: FieldInfo) -> list[Activity]:
    """Return the hours of the week of each."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        return await list_activity(connection, [one.counted for one in statistics])


async def resolve_ship_groups(statistics: Sequence[StatisticsView], info: FieldInfo) -> list[ShipGroupsView | None]:
    """Return the groups of ships of each; parents of a field are of one kind and have one window."""
    kind = statistics[0].counted.kind
    if kind is EntityKind.FACTION:
        return [None] * len(statistics)
    ids = [one.counted.id for one in statistics]
    tops = await _load_tops(info.context, kind, ids, statistics[0].window, _GROUPS)
    named = await load_named(info.context, [])

    def lines(list_: Sequence[Top]) -> list[TopEntryView]:
        return _lines(named, EntityKind.SHIP_GROUP, list_)

    return [
        ShipGroupsView(one.since, one.is_complete, lines(one.groups_used), lines(one.groups_lost))
        for one in (tops[entity_id] for entity_id in ids)
    ]


def _top_lists(kind: EntityKind) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: FieldInfo, *, window: str, first: int) -> list[TopListsView]:
        checked_size("first", first, _MAX_ENTRIES)
        ids = [entity.id for entity in entities]
        tops = await _load_tops(info.context, kind, ids, Window[window], first)
        wanted = [
            (of, top.entity_id) for one in tops.values() for name, of in _LISTS.items() for top in getattr(one, name)
        ]
        named = await load_named(info.context, wanted)
        views = {
            entity_id: TopListsView(
                since=one.since,
                is_complete=one.is_complete,
                **{name: _lines(named, of, getattr(one, name)) for name, of in _LISTS.items()},
            )
            for entity_id, one in tops.items()
        }
        return [views[entity_id] for entity_id in ids]

    return resolve


async def _load_tops(
    context: ApiContext, kind: EntityKind, ids: Sequence[int], window: Window, limit: int
) -> dict[int, Tops]:
    async with context.database.connection() as connection:
        return await list_tops_of(
            connection, kind, ids, window, today=utc_now().date(), universe=context.views.universe, limit=limit
        )


def _lines(named: NamedEntities, kind: EntityKind, list_: Sequence[Top]) -> list[TopEntryView]:
    return [TopEntryView(named.find(kind, top.entity_id), top.killmails) for top in list_]


def _reader(name: str) -> BatchResolver:
    """Return the resolver of a figure that is stored under another name."""
    read = attrgetter(name)

    def resolve(parents: Sequence[Any], _info: FieldInfo) -> list[Any]:
        return [read(parent) for parent in parents]

    return resolve


for _kind in (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE):
    resolvers.field(_kind.name.capitalize(), "statistics", _statistics(_kind))
    resolvers.field(_kind.name.capitalize(), "topLists", _top_lists(_kind))
resolvers.field("Faction", "statistics", _statistics(EntityKind.FACTION))
resolvers.field("EntityStatistics", "totals", resolve_totals)
resolvers.field("EntityStatistics", "months", resolve_months)
resolvers.field("EntityStatistics", "activity", resolve_activity)
resolvers.field("EntityStatistics", "shipGroups", resolve_ship_groups)
resolvers.field("EntityMonth", "figures", _reader("totals"))
for _type in ("EntityTotals", "Figures"):
    resolvers.field(_type, "iskDestroyed", _reader("isk_destroyed_cents"))
    resolvers.field(_type, "iskLost", _reader("isk_lost_cents"))
resolvers.field("EntityTotals", "npcIskLost", _reader("npc_isk_lost_cents"))
resolvers.field("Figures", "points", _reader("points_won"))
