"""Resolvers of characters, corporations, alliances and factions: the entities and what is stored of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from operator import attrgetter
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.entity.named import NamedEntity, load_named, name_types
from killreport.api.paging.pages import MAX_PAGE_SIZE, bad_request
from killreport.api.views.shown import note_shown
from killreport.api.views.universe import FactionView
from killreport.entity.facts import find_seen
from killreport.entity.kind import EntityKind

resolvers = Resolvers()


async def load_entities(context: ApiContext, kind: EntityKind, ids: Sequence[int]) -> list[NamedEntity | None]:
    """Return the entities in the order of the ids, None for each of which nothing is known; two statements."""
    if kind is EntityKind.FACTION:
        seen = set(ids) & context.views.universe.factions.keys()
    else:
        note_shown(ids)
        async with context.database.connection() as connection:
            seen = await find_seen(connection, kind, set(ids))
        if kind is EntityKind.CORPORATION:
            seen |= set(ids) & context.views.universe.corporations.keys()
    named = await load_named(context, [(kind, entity_id) for entity_id in seen])
    return [named.find(kind, entity_id) if entity_id in seen else None for entity_id in ids]


def _one(kind: EntityKind) -> BatchResolver:
    async def resolve(
        _root: Sequence[None],
        info: FieldInfo,
        *,
        id: int,  # noqa: A002 - the schema's name
    ) -> list[NamedEntity | None]:
        return await load_entities(info.context, kind, [id])

    return resolve


def _many(kind: EntityKind) -> BatchResolver:
    async def resolve(_root: Sequence[None], info: FieldInfo, *, ids: list[int]) -> list[list[NamedEntity | None]]:
        if not 1 <= len(ids) <= MAX_PAGE_SIZE:
            raise bad_request(f"`ids` must be from 1 to {MAX_PAGE_SIZE} ids, not {len(ids)}.")
        return [await load_entities(info.context, kind, ids)]

    return resolve


def _fact(kind: EntityKind, name: str) -> BatchResolver:
    """Return the resolver of a fact that is in the entity's row."""
    read = attrgetter(name)

    async def resolve(entities: Sequence[Any], info: FieldInfo) -> list[Any]:
        facts = await info.context.facts.load(kind, [entity.id for entity in entities])
        return [read(facts[entity.id]) if entity.id in facts else None for entity in entities]

    return resolve


def _edge(kind: EntityKind, name: str, to: EntityKind) -> BatchResolver:
    """Return the resolver of another entity whose id is in the entity's row: two statements, whatever the number."""
    read_ids = _fact(kind, name)

    async def resolve(entities: Sequence[Any], info: FieldInfo) -> list[NamedEntity | None]:
        ids = await _awaited(read_ids(entities, info))
        named = await load_named(info.context, [(to, other) for other in ids if other is not None])
        return [None if other is None else named.find(to, other) for other in ids]

    return resolve


async def _awaited(found: Sequence[Any] | Awaitable[Sequence[Any]]) -> Sequence[Any]:
    return await found if isinstance(found, Awaitable) else found


def _of_faction(read: Callable[[Any], int | None]) -> BatchResolver:
    """Return the resolver of a corporation that the static data names for a faction."""

    async def resolve(factions: Sequence[FactionView], info: FieldInfo) -> list[NamedEntity | None]:
        known = info.context.views.universe.factions
        ids = [read(known[faction.id]) if faction.id in known else None for faction in factions]
        corporation = EntityKind.CORPORATION
        named = await load_named(info.context, [(corporation, other) for other in ids if other is not None])
        return [None if other is None else named.find(corporation, other) for other in ids]

    return resolve


_CHARACTER, _CORPORATION, _ALLIANCE, _FACTION = (
    *(EntityKind.CHARACTER, EntityKind.CORPORATION),
    *(EntityKind.ALLIANCE, EntityKind.FACTION),
)
_COMMON = {"refreshedAt": "refreshed_at", "goneAt": "gone_at"}
_FACTS: Mapping[EntityKind, Mapping[str, str]] = {
    _CHARACTER: {
        "birthday": "birthday",
        "gender": "gender",
        "title": "title",
        "description": "description",
    },
    _CORPORATION: {
        "memberCount": "member_count",
        "dateFounded": "date_founded",
        "url": "url",
        "description": "description",
        "homeStationId": "home_station_id",
        "warEligible": "is_war_eligible",
    },
    _ALLIANCE: {
        "dateFounded": "date_founded",
        "memberCount": "member_count",
        "corporationCount": "corporation_count",
        "countedAt": "counted_at",
    },
}
_EDGES: Mapping[EntityKind, Mapping[str, tuple[str, EntityKind]]] = {
    _CHARACTER: {
        "corporation": ("corporation_id", _CORPORATION),
        "alliance": ("alliance_id", _ALLIANCE),
        "faction": ("faction_id", _FACTION),
    },
    _CORPORATION: {
        "ceo": ("ceo_id", _CHARACTER),
        "creator": ("creator_id", _CHARACTER),
        "alliance": ("alliance_id", _ALLIANCE),
        "faction": ("faction_id", _FACTION),
    },
    _ALLIANCE: {
        "executor": ("executor_corporation_id", _CORPORATION),
        "creator": ("creator_id", _CHARACTER),
        "creatorCorporation": ("creator_corporation_id", _CORPORATION),
        "faction": ("faction_id", _FACTION),
    },
}


def _rounded(kind: EntityKind, name: str, digits: int) -> BatchResolver:
    """Return the resolver of a 4-byte real, without the noise of its last digits."""
    read = _fact(kind, name)

    async def resolve(entities: Sequence[Any], info: FieldInfo) -> list[float | None]:
        return [None if value is None else round(value, digits) for value in await _awaited(read(entities, info))]

    return resolve


def _kind_name(kind: EntityKind) -> str:
    return kind.name.capitalize()


for _kind, _plural in ((_CHARACTER, "characters"), (_CORPORATION, "corporations"), (_ALLIANCE, "alliances")):
    for _field, _name in {**_COMMON, **_FACTS[_kind]}.items():
        resolvers.field(_kind_name(_kind), _field, _fact(_kind, _name))
    for _field, (_name, _to) in _EDGES[_kind].items():
        resolvers.field(_kind_name(_kind), _field, _edge(_kind, _name, _to))
    resolvers.field("Query", _kind.name.lower(), _one(_kind))
    resolvers.field("Query", _plural, _many(_kind))
resolvers.field("Query", "faction", _one(_FACTION))
resolvers.field("Query", "factions", _many(_FACTION))
resolvers.field("Character", "securityStatus", _rounded(_CHARACTER, "security_status", 2))
resolvers.field("Corporation", "taxRate", _rounded(_CORPORATION, "tax_rate", 4))
resolvers.field("Faction", "corporation", _of_faction(attrgetter("corporation_id")))
resolvers.field("Faction", "militiaCorporation", _of_faction(attrgetter("militia_corporation_id")))
resolvers.type_of("Entity", name_types)
