"""Resolvers of the killmails of entities: kills, losses and both, those of all parents in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.killmail.pages import ConnectionView, load_connections, read_page
from killreport.api.paging.pages import bad_request
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.of_entities import Side, list_killmails_of

resolvers = Resolvers()


_WORDS = {Side.KILLS: "attacker", Side.LOSSES: "victim", Side.EITHER: ""}


def _list_of(kind: EntityKind, side: Side) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: FieldInfo, **arguments: Any) -> list[ConnectionView]:
        context: ApiContext = info.context
        asked = read_page(**arguments)
        ids = [entity.id for entity in entities]
        try:
            async with context.database.connection() as connection:
                if asked.is_forward:
                    pages = await list_killmails_of(connection, kind, ids, side, first=asked.size, after=asked.cursor)
                else:
                    pages = await list_killmails_of(connection, kind, ids, side, last=asked.size, before=asked.cursor)
        except Refused as error:
            raise bad_request(str(error)) from None
        connections = await load_connections(context, asked, pages, lambda entity_id: _filter(kind, side, entity_id))
        return [connections[entity_id] for entity_id in ids]

    return resolve


def _filter(kind: EntityKind, side: Side, entity_id: int) -> KillmailFilter:
    name = f"{_WORDS[side]}{kind.name.capitalize()}"
    return KillmailFilter.read({name[0].lower() + name[1:]: [entity_id]})


for _kind in (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE, EntityKind.FACTION):
    for _field, _side in (("kills", Side.KILLS), ("losses", Side.LOSSES), ("killmails", Side.EITHER)):
        resolvers.field(_kind.name.capitalize(), _field, _list_of(_kind, _side))
