"""The resolver of the search."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.entity.things import Thing, load_things
from killreport.api.paging.pages import checked_size
from killreport.entity.kind import EntityKind
from killreport.search.model import MAX_HITS, Kind

resolvers = Resolvers()

_THINGS = {
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
    """Something found; `thing_id` of what the thing itself is read by."""

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


async def resolve_thing(results: Sequence[ResultView], info: FieldInfo) -> list[Thing | None]:
    """Return the things that were found; read only where they are asked for, since a result has its name."""
    found = [(_THINGS[Kind[result.kind]], result.id) for result in results]
    things = await load_things(info.context, found)
    return [things.find(*one) for one in found]


resolvers.field("Query", "search", resolve_search)
resolvers.field("SearchResult", "thing", resolve_thing)
