"""Resolvers of the killmails of entities: kills, losses and both, those of all parents in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.api.context import Info
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.killmail.pages import ConnectionView, load_connections, read_page
from killreport.api.paging.pages import bad_request
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.of_many import Sides, list_killmails_of

resolvers = Resolvers()

_WORDS = {Sides.KILLS: "attacker", Sides.LOSSES: "victim", Sides.EITHER: ""}


def _list_of(kind: EntityKind, side: Sides) -> BatchResolver:
    name = f"{_WORDS[side]}{kind.name.capitalize()}"
    condition = name[0].lower() + name[1:]

    async def resolve(entities: Sequence[Any], info: Info, **arguments: Any) -> list[ConnectionView]:
        asked = read_page(**arguments)
        ids = [entity.id for entity in entities]
        try:
            async with info.context.database.connection() as connection:
                pages = await list_killmails_of(
                    connection, kind, ids, side, size=asked.size, cursor=asked.cursor, is_forward=asked.is_forward
                )
        except Refused as error:
            raise bad_request(str(error)) from None
        return await load_connections(
            info.context, asked, pages, ids, lambda entity_id: KillmailFilter.read({condition: [entity_id]})
        )

    return resolve


for _kind in (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE, EntityKind.FACTION):
    for _field, _side in (("kills", Sides.KILLS), ("losses", Sides.LOSSES), ("killmails", Sides.EITHER)):
        resolvers.field(_kind.name.capitalize(), _field, _list_of(_kind, _side))
