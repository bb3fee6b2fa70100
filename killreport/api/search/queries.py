"""The resolver of the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.entity.named import NamedEntity, load_named
from killreport.api.paging.pages import checked_size
from killreport.entity.kind import EntityKind
from killreport.search.model import MAX_HITS, Kind

resolvers = Resolvers()

_ENTITY_KINDS = {
    Kind.CHARACTER: EntityKind.CHARACTER,
    Kind.CORPORATION: EntityKind.CORPORATION,
    Kind.ALLIANCE: EntityKind.ALLIANCE,
    Kind.FACTION: EntityKind.FACTION,
    Kind.SHIP_TYPE: EntityKind.SHIP_TYPE,
    Kind.TYPE: EntityKind.SHIP_TYPE,
    Kind.GROUP: EntityKind.SHIP_GROUP,
    Kind.SOLAR_SYSTEM: EntityKind.SOLAR_SYSTEM,
    Kind.CONSTELLATION: EntityKind.CONSTELLATION,
    Kind.REGION: EntityKind.REGION,
}


@dataclass(frozen=True, slots=True)
class ResultView:
    """Something found."""

    rank: int
    kind: str
    id: int
    name: str
    ticker: str | None
    match: str
    similarity: float
    kills: int


async def resolve_search(
    _root: Sequence[None],
    info: FieldInfo,
    *,
    query: str,
    first: int,
    kinds: Sequence[str] | None = None,
) -> list[list[ResultView]]:
    """Return what was found, the best first."""
    context: ApiContext = info.context
    checked_size("first", first, MAX_HITS)
    wanted = tuple(Kind) if kinds is None else [Kind[name] for name in kinds]
    async with context.database.connection() as connection:
        hits = await context.search.find(connection, query, kinds=wanted, limit=first)
    return [
        [
            ResultView(
                rank, hit.kind.name, hit.id, hit.name, hit.ticker, hit.match.name, round(hit.similarity, 3), hit.kills
            )
            for rank, hit in enumerate(hits, 1)
        ]
    ]


async def resolve_entity(results: Sequence[ResultView], info: FieldInfo) -> list[NamedEntity | None]:
    """Return the entities that were found; read only where they are asked for, since a result has its name."""
    found = [(_ENTITY_KINDS[Kind[result.kind]], result.id) for result in results]
    named = await load_named(info.context, found)
    return [named.find(*one) for one in found]


resolvers.field("Query", "search", resolve_search)
resolvers.field("SearchResult", "entity", resolve_entity)
