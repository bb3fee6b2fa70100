"""Resolvers of the killmails of entities: kills, losses and both, those of all parents in one statement."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import BatchResolver, Resolvers
from killreport.api.killmail.views import KillmailView, load_views
from killreport.api.pages import PageArguments, PageInfo, bad_request
from killreport.entity.kind import EntityKind
from killreport.errors import Refused
from killreport.killmail.filter_tree import KillmailFilter
from killreport.killmail.lists_of import Side, list_killmails_of

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class KillmailPageView:
    """A page of an entity's killmails. wanted: what the list is of, as a filter."""

    nodes: list[KillmailView]
    page_info: PageInfo
    wanted: KillmailFilter


_WORDS = {Side.KILLS: "attacker", Side.LOSSES: "victim", Side.EITHER: ""}


def _list_of(kind: EntityKind, side: Side) -> BatchResolver:
    async def resolve(entities: Sequence[Any], info: FieldInfo, **arguments: Any) -> list[KillmailPageView]:
        context: ApiContext = info.context
        asked = PageArguments(**arguments).read(lambda cursor, argument: decode_cursor(cursor, argument=argument))
        ids = [entity.id for entity in entities]
        try:
            async with context.database.connection() as connection:
                if asked.is_forward:
                    pages = await list_killmails_of(connection, kind, ids, side, first=asked.size, after=asked.cursor)
                else:
                    pages = await list_killmails_of(connection, kind, ids, side, last=asked.size, before=asked.cursor)
        except Refused as error:
            raise bad_request(str(error)) from None
        rows = {row.killmail_id: row for page in pages.values() for row in page.rows}
        views = {view.id: view for view in await load_views(context.database, context.views, list(rows.values()))}
        found = []
        for entity_id in ids:
            page = pages[entity_id]
            nodes = [views[row.killmail_id] for row in page.rows]
            page_info = asked.info([node.cursor for node in (*nodes[:1], *nodes[-1:])], has_more=page.has_more)
            found.append(KillmailPageView(nodes, page_info, _filter(kind, side, entity_id)))
        return found

    return resolve


def _filter(kind: EntityKind, side: Side, entity_id: int) -> KillmailFilter:
    name = f"{_WORDS[side]}{kind.name.capitalize()}"
    return KillmailFilter.read({name[0].lower() + name[1:]: [entity_id]})


for _kind in (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE, EntityKind.FACTION):
    for _field, _side in (("kills", Side.KILLS), ("losses", Side.LOSSES), ("killmails", Side.EITHER)):
        resolvers.field(_kind.name.capitalize(), _field, _list_of(_kind, _side))
