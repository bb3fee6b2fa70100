"""Resolvers of characters, corporations, alliances and factions: the entities and what is stored of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from killreport.api.context import ApiContext, Info
from killreport.api.engine.registry import BatchResolver, Resolvers, snake_case
from killreport.api.entity.named import KINDS, NamedEntity, find_named, name_types
from killreport.api.paging.pages import MAX_PAGE_SIZE, bad_request
from killreport.api.views.cache_tags import tag_entities
from killreport.entity.facts import find_seen
from killreport.entity.kind import EntityKind

resolvers = Resolvers()

Read = Callable[[Any], Any]
ReadMany = Callable[[Sequence[Any], Info], Awaitable[list[Any]]]


async def load_entities(context: ApiContext, kind: EntityKind, ids: Sequence[int]) -> list[NamedEntity | None]:
    """Return the entities in the order of the ids, None for each of which nothing is known; two statements."""
    if kind is EntityKind.FACTION:
        seen = set(ids) & context.views.universe.factions.keys()
    else:
        tag_entities(ids)
        async with context.database.connection() as connection:
            seen = await find_seen(connection, kind, set(ids))
        if kind is EntityKind.CORPORATION:
            seen |= set(ids) & context.views.universe.corporations.keys()
    return await find_named(context, [(kind, entity_id if entity_id in seen else None) for entity_id in ids])


def _find(kind: EntityKind) -> tuple[Callable[..., Awaitable[Any]], Callable[..., Awaitable[Any]]]:
    """Return the resolvers of one entity and of several."""

    async def one(info: Info, *, id: int) -> NamedEntity | None:  # noqa: A002 - the schema's name
        return (await load_entities(info.context, kind, [id]))[0]

    async def several(info: Info, *, ids: list[int]) -> list[NamedEntity | None]:
        if not 1 <= len(ids) <= MAX_PAGE_SIZE:
            raise bad_request(f"`ids` must be from 1 to {MAX_PAGE_SIZE} ids, not {len(ids)}.")
        return await load_entities(info.context, kind, ids)

    return one, several


def _fact(kind: EntityKind, read: Read) -> ReadMany:
    """Return the resolver of a fact that is in the entity's row."""

    async def resolve(entities: Sequence[Any], info: Info) -> list[Any]:
        facts = await info.context.facts.load(kind, [entity.id for entity in entities])
        return [read(facts[entity.id]) if entity.id in facts else None for entity in entities]

    return resolve


async def _of_factions(factions: Sequence[Any], info: Info, read: Read) -> list[Any]:
    """Return what the static data has of the factions."""
    known = info.context.views.universe.factions
    return [read(known[faction.id]) if faction.id in known else None for faction in factions]


def _edge(read_ids: ReadMany, to: EntityKind) -> BatchResolver:
    """Return the resolver of another entity whose id is a fact of the entity: two statements, whatever the number."""

    async def resolve(entities: Sequence[Any], info: Info) -> list[NamedEntity | None]:
        return await find_named(info.context, [(to, other) for other in await read_ids(entities, info)])

    return resolve


def _rounded(name: str, digits: int) -> Read:
    """Return what reads a 4-byte real, without the noise of its last digits."""
    read = attrgetter(name)
    return lambda facts: None if read(facts) is None else round(read(facts), digits)


_FACTS: Mapping[str, Sequence[str]] = {
    "Character": ("birthday", "gender", "title", "description"),
    "Corporation": ("memberCount", "dateFounded", "url", "description", "homeStationId"),
    "Alliance": ("dateFounded", "memberCount", "corporationCount", "countedAt"),
}
# The names of fields: where the id is, and of what it is.
_EDGES: Mapping[str, Mapping[str, tuple[str, str]]] = {
    "Character": {
        "corporation": ("corporation_id", "Corporation"),
        "alliance": ("alliance_id", "Alliance"),
        "faction": ("faction_id", "Faction"),
    },
    "Corporation": {
        "ceo": ("ceo_id", "Character"),
        "creator": ("creator_id", "Character"),
        "alliance": ("alliance_id", "Alliance"),
        "faction": ("faction_id", "Faction"),
    },
    "Alliance": {
        "executor": ("executor_corporation_id", "Corporation"),
        "creator": ("creator_id", "Character"),
        "creatorCorporation": ("creator_corporation_id", "Corporation"),
        "faction": ("faction_id", "Faction"),
    },
    "Faction": {
        "corporation": ("corporation_id", "Corporation"),
        "militiaCorporation": ("militia_corporation_id", "Corporation"),
    },
}


def _reader(of: str, name: str) -> ReadMany:
    read = attrgetter(name)
    if of == "Faction":
        return lambda factions, info: _of_factions(factions, info, read)
    return _fact(KINDS[of], read)


for _of, _edges in _EDGES.items():
    for _field, (_name, _to) in _edges.items():
        resolvers.field(_of, _field, _edge(_reader(_of, _name), KINDS[_to]))
    _one, _several = _find(KINDS[_of])
    resolvers.root("Query", _of.lower(), _one)
    resolvers.root("Query", f"{_of.lower()}s", _several)
for _of, _names in _FACTS.items():
    for _field in (*_names, "refreshedAt", "goneAt"):
        resolvers.field(_of, _field, _reader(_of, snake_case(_field)))
resolvers.field("Character", "securityStatus", _fact(EntityKind.CHARACTER, _rounded("security_status", 2)))
resolvers.field("Corporation", "taxRate", _fact(EntityKind.CORPORATION, _rounded("tax_rate", 4)))
resolvers.field("Corporation", "warEligible", _reader("Corporation", "is_war_eligible"))
resolvers.type_of("Entity", name_types)
