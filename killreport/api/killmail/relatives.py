"""Resolvers of what a killmail has beside it: some of its attackers, and the killmails around it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor, decode_ordinal, encode_ordinal
from killreport.api.engine.info import FieldInfo
from killreport.api.entity.views import load_entity_views
from killreport.api.killmail.pages import ConnectionView, load_connections
from killreport.api.killmail.part_views import AttackerView
from killreport.api.killmail.views import KillmailView
from killreport.api.pages import PageInfo, PageRequest, bad_request, checked_size
from killreport.killmail.lists import list_related
from killreport.killmail.queries import list_some_attackers, list_top_damage

# What died around what died around it, and so on, would be millions with a few characters of query.
MOST_RELATED_AT_ONCE = 20_000


@dataclass(frozen=True, slots=True)
class AttackerPageView:
    """Some attackers of one killmail."""

    nodes: list[AttackerView]
    page_info: PageInfo
    total_count: int


async def resolve_attackers_page(
    killmails: Sequence[KillmailView], info: FieldInfo, *, first: int, after: str | None = None
) -> list[AttackerPageView]:
    """Return `first` attackers of each killmail. Raises GraphQLError for a size or a cursor that cannot be."""
    context: ApiContext = info.context
    size = checked_size("first", first)
    begin = 0 if after is None else decode_ordinal(after) + 1
    async with context.database.connection() as connection:
        found = await list_some_attackers(connection, [killmail.id for killmail in killmails], begin, size)
    everybody = (row for group in found.values() for row in group)
    entities = await load_entity_views(context.database, context.views, everybody)
    pages = []
    for killmail in killmails:
        nodes = [AttackerView(row, entities, context.views) for row in found.get(killmail.id, ())]
        page_info = PageInfo(
            has_next_page=begin + len(nodes) < killmail.attacker_count and bool(nodes),
            has_previous_page=begin > 0,
            start_cursor=encode_ordinal(nodes[0].ordinal) if nodes else None,
            end_cursor=encode_ordinal(nodes[-1].ordinal) if nodes else None,
        )
        pages.append(AttackerPageView(nodes, page_info, killmail.attacker_count))
    return pages


async def resolve_top_damage(killmails: Sequence[KillmailView], info: FieldInfo) -> list[AttackerView | None]:
    """Return who did the most damage to each, None where nobody did any."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        found = await list_top_damage(connection, [killmail.id for killmail in killmails])
    entities = await load_entity_views(context.database, context.views, found.values())
    return [
        AttackerView(row, entities, context.views) if (row := found.get(killmail.id)) and row.damage_done else None
        for killmail in killmails
    ]


async def resolve_related(
    killmails: Sequence[KillmailView], info: FieldInfo, *, first: int, after: str | None = None
) -> list[ConnectionView]:
    """Return a page of what died around each killmail. Raises GraphQLError for a size or a cursor that cannot be."""
    context: ApiContext = info.context
    asked = PageRequest(checked_size("first", first), None if after is None else decode_cursor(after), True)
    # Killmails of one fight are related to each other: one page and one view of each, however often it is there.
    asking = {killmail.id: killmail.row for killmail in killmails}
    if len(asking) * asked.size > MOST_RELATED_AT_ONCE:
        raise bad_request(
            f"`related` of {len(asking):,} killmails with `first` {asked.size} may be {len(asking) * asked.size:,} "
            f"killmails; at most {MOST_RELATED_AT_ONCE:,} may be asked for at once."
        )
    async with context.database.connection() as connection:
        pages = await list_related(connection, list(asking.values()), asked.size, asked.cursor)
    connections = await load_connections(context, asked, dict(zip(asking, pages, strict=True)), lambda _: None)
    return [connections[killmail.id] for killmail in killmails]
