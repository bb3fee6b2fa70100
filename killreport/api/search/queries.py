"""The resolver of the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import Info
from killreport.api.engine.registry import Resolvers
from killreport.api.entity.named import NamedEntity, find_named
from killreport.api.paging.pages import checked_size
from killreport.entity.kind import EntityKind
from killreport.search.model import MAX_HITS, Hit, SearchKind

resolvers = Resolvers()

_ENTITY_KINDS = {
    SearchKind.CHARACTER: EntityKind.CHARACTER,
    SearchKind.CORPORATION: EntityKind.CORPORATION,
    SearchKind.ALLIANCE: EntityKind.ALLIANCE,
    SearchKind.FACTION: EntityKind.FACTION,
    SearchKind.SHIP_TYPE: EntityKind.SHIP_TYPE,
    SearchKind.TYPE: EntityKind.SHIP_TYPE,
    SearchKind.GROUP: EntityKind.SHIP_GROUP,
    SearchKind.SOLAR_SYSTEM: EntityKind.SOLAR_SYSTEM,
    SearchKind.CONSTELLATION: EntityKind.CONSTELLATION,
    SearchKind.REGION: EntityKind.REGION,
}


@dataclass(frozen=True, slots=True)
class RankedHit:
    """Something found, and its place among what was, from 1."""

    rank: int
    hit: Hit


async def resolve_search(info: Info, *, query: str, first: int, kinds: Sequence[str] | None = None) -> list[RankedHit]:
    """Return what was found, the best first."""
    checked_size("first", first, MAX_HITS)
    wanted = tuple(SearchKind) if kinds is None else [SearchKind[name] for name in kinds]
    async with info.context.database.connection() as connection:
        hits = await info.context.search.find(connection, query, kinds=wanted, limit=first)
    return [RankedHit(rank, hit) for rank, hit in enumerate(hits, 1)]


async def resolve_entity(results: Sequence[RankedHit], info: Info) -> list[NamedEntity | None]:
    """Return the named that were found; read only where they are asked for, since a result has its name."""
    return await find_named(info.context, [(_ENTITY_KINDS[one.hit.kind], one.hit.id) for one in results])


resolvers.root("Query", "search", resolve_search)
resolvers.field("SearchResult", "entity", resolve_entity)
resolvers.columns(
    "SearchResult",
    **{name: f"hit.{name}" for name in ("id", "name", "ticker", "kills")},
    kind="hit.kind.name",
    match="hit.match.name",
    similarity=lambda one: round(one.hit.similarity, 3),
)
