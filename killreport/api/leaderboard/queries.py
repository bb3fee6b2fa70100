"""Resolvers of rankings and of the most valuable killmails."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from killreport.api.context import Info
from killreport.api.engine.registry import Resolvers
from killreport.api.entity.named import NamedEntity, find_named, name_types
from killreport.api.paging.pages import bad_request, checked_size
from killreport.api.views.killmail import KillmailView, load_views
from killreport.clock import utc_now
from killreport.entity.kind import EntityKind
from killreport.errors import NotFound, Refused
from killreport.eve.universe import Universe
from killreport.killmail.stored.queries import get_killmails
from killreport.leaderboard.dearest import MAX_DEAREST, list_dearest
from killreport.leaderboard.model import Figures, Metric, Ranking, Window
from killreport.leaderboard.queries import get_ranking, get_ranking_of_place
from killreport.leaderboard.scope import Scope, find_scope

resolvers = Resolvers()

_KINDS = {
    "CHARACTER": EntityKind.CHARACTER,
    "CORPORATION": EntityKind.CORPORATION,
    "ALLIANCE": EntityKind.ALLIANCE,
    "SHIP_USED": EntityKind.SHIP_TYPE,
    "SHIP_LOST": EntityKind.SHIP_TYPE,
    "SYSTEM": EntityKind.SOLAR_SYSTEM,
    "REGION": EntityKind.REGION,
    "GROUP": EntityKind.SHIP_GROUP,
}
_PLACES = {
    "region_id": EntityKind.REGION,
    "constellation_id": EntityKind.CONSTELLATION,
    "system_id": EntityKind.SOLAR_SYSTEM,
}
_OF_LOSSES = frozenset({Metric.LOSSES, Metric.ISK_LOST})
_IN_ISK = frozenset({Metric.ISK_DESTROYED, Metric.ISK_LOST})


@dataclass(frozen=True, slots=True)
class PlaceView:
    """A place of a ranking."""

    rank: int
    entity: NamedEntity | None
    value: float
    figures: Figures


@dataclass(frozen=True, slots=True)
class LeaderboardView:
    """The head of a ranking."""

    ranking: Ranking
    places: list[PlaceView]


async def resolve_leaderboard(
    info: Info,
    *,
    kind: str,
    window: str,
    first: int,
    metric: str | None = None,
    scope: Mapping[str, int | None] | None = None,
) -> LeaderboardView:
    """Return the head of a ranking. Raises GraphQLError for what is not counted."""
    checked_size("first", first)
    of, by, days, today = _KINDS[kind], _metric(kind, metric), Window[window], utc_now().date()
    place = _scope(info.context.views.universe, scope)
    try:
        async with info.context.database.connection() as connection:
            if place is None:
                ranking = await get_ranking(connection, of, by, days, today=today, limit=first)
            else:
                ranking = await get_ranking_of_place(connection, of, by, days, scope=place, today=today, limit=first)
    except Refused as error:
        raise bad_request(f"`scope`: {error}") from None
    named = await find_named(info.context, [(of, one.entity_id) for one in ranking.places])
    places = [
        PlaceView(one.place, entity, _value(one.figures, by), one.figures)
        for one, entity in zip(ranking.places, named, strict=True)
    ]
    return LeaderboardView(ranking, places)


async def resolve_most_valuable(
    info: Info, *, window: str, first: int, scope: Mapping[str, int | None] | None = None
) -> list[KillmailView]:
    """Return the most valuable killmails. Raises GraphQLError for a place that is none."""
    context = info.context
    checked_size("first", first, MAX_DEAREST)
    place = _scope(context.views.universe, scope)
    async with context.database.connection() as connection:
        dear = await list_dearest(connection, Window[window], today=utc_now().date(), scope=place, limit=first)
        rows = await get_killmails(connection, [one.killmail_id for one in dear])
    views = {view.id: view for view in await load_views(context.database, context.views, rows)}
    return [views[one.killmail_id] for one in dear if one.killmail_id in views]


def _metric(kind: str, name: str | None) -> Metric:
    if name is None:
        return Metric.LOSSES if kind == "SHIP_LOST" else Metric.KILLS
    metric = Metric[name]
    if kind == "SHIP_LOST" and metric not in _OF_LOSSES:
        raise bad_request("`metric` of SHIP_LOST must be LOSSES or ISK_LOST.")
    if kind == "SHIP_USED" and metric in _OF_LOSSES:
        raise bad_request("`metric` of SHIP_USED must be a figure of kills; losses of ships are SHIP_LOST.")
    return metric


def _scope(universe: Universe, scope: Mapping[str, int | None] | None) -> Scope | None:
    """Return the place; None for all of space."""
    if scope is None:
        return None
    places = [(kind, scope[name]) for name, kind in _PLACES.items() if scope.get(name) is not None]
    if len(places) != 1:
        raise bad_request("`scope` must have exactly one of `regionId`, `constellationId` and `systemId`.")
    kind, place_id = places[0]
    try:
        return find_scope(universe, kind, place_id or 0)
    except NotFound as error:
        raise bad_request(f"`scope`: {error}") from None


def _value(figures: Figures, metric: Metric) -> float:
    figure: int = getattr(figures, metric.column)
    return figure / 100 if metric in _IN_ISK else float(figure)


resolvers.root("Query", "leaderboard", resolve_leaderboard)
resolvers.root("Query", "mostValuableKills", resolve_most_valuable)
resolvers.columns(
    "Leaderboard", firstDay="ranking.first_day", lastDay="ranking.last_day", countedAt="ranking.counted_at"
)
resolvers.type_of("NamedEntity", name_types)
