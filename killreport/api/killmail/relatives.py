"""Resolvers of what a killmail has beside it: some of its attackers, and the killmails around it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.api.context import Info
from killreport.api.killmail.pages import ConnectionView, load_connections, read_page
from killreport.api.paging.cursor import ORDINALS
from killreport.api.paging.pages import Connection, PageArguments, PageInfo, PageRequest, bad_request
from killreport.api.views.entity import load_attacker_views
from killreport.api.views.killmail import KillmailView
from killreport.api.views.sides import AttackerView
from killreport.killmail.lists.of_many import list_related, related_to
from killreport.killmail.stored.queries import list_some_attackers, list_top_damage

# What died around what died around it, and so on, would be millions with a few characters of query.
MAX_RELATED_AT_ONCE = 20_000


async def resolve_attackers_page(
    killmails: Sequence[KillmailView], info: Info, **arguments: Any
) -> list[Connection[AttackerView]]:
    """Return some attackers of each killmail. Raises GraphQLError for a size or a cursor that cannot be."""
    asked = PageArguments(**arguments).read(ORDINALS.decode)
    places = {killmail.id: _places(asked, killmail.attacker_count) for killmail in killmails}
    async with info.context.database.connection() as connection:
        found = await list_some_attackers(connection, places)
    everybody = [row for group in found.values() for row in group]
    entities = await load_attacker_views(info.context.database, info.context.views, everybody)
    pages = []
    for killmail in killmails:
        nodes = [AttackerView(row, entities, info.context.views) for row in found.get(killmail.id, ())]
        place, count = places[killmail.id], killmail.attacker_count
        page_info = PageInfo(
            has_next_page=place.stop < count,
            has_previous_page=place.start > 0,
            start_cursor=_cursor_of(nodes[0]) if nodes else None,
            end_cursor=_cursor_of(nodes[-1]) if nodes else None,
        )
        pages.append(Connection(nodes, page_info, _cursor_of, count))
    return pages


def _cursor_of(attacker: AttackerView) -> str:
    return ORDINALS.encode(attacker.ordinal)


def _places(asked: PageRequest[int], count: int) -> range:
    """Return the places of the attackers that are on the page, of so many."""
    if asked.is_forward:
        begin = 0 if asked.cursor is None else min(asked.cursor + 1, count)
        return range(begin, min(begin + asked.size, count))
    end = count if asked.cursor is None else min(asked.cursor, count)
    return range(max(0, end - asked.size), end)


async def resolve_top_damage(killmails: Sequence[KillmailView], info: Info) -> list[AttackerView | None]:
    """Return who did the most damage to each, None where nobody did any."""
    async with info.context.database.connection() as connection:
        found = await list_top_damage(connection, [killmail.id for killmail in killmails])
    entities = await load_attacker_views(info.context.database, info.context.views, found.values())
    return [
        AttackerView(row, entities, info.context.views) if (row := found.get(killmail.id)) and row.damage_done else None
        for killmail in killmails
    ]


async def resolve_related(killmails: Sequence[KillmailView], info: Info, **arguments: Any) -> list[ConnectionView]:
    """Return a page of what died around each killmail. Raises GraphQLError for a size or a cursor that cannot be."""
    asked = read_page(**arguments)
    # Killmails of one fight are related to each other: one page and one view of each, however often it is there.
    asking = {killmail.id: killmail.row for killmail in killmails}
    if len(asking) * asked.size > MAX_RELATED_AT_ONCE:
        argument = "first" if asked.is_forward else "last"
        raise bad_request(
            f"`related` of {len(asking):,} killmails with `{argument}` {asked.size} may be "
            f"{len(asking) * asked.size:,} killmails; at most {MAX_RELATED_AT_ONCE:,} may be asked for at once."
        )
    async with info.context.database.connection() as connection:
        pages = await list_related(
            connection, list(asking.values()), asked.size, asked.cursor, is_forward=asked.is_forward
        )
    found = dict(zip(asking, pages, strict=True))
    return await load_connections(
        info.context, asked, found, [killmail.id for killmail in killmails], lambda of: related_to(asking[of])
    )
