"""Resolvers of killmails: the list, one, and the live ones."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass

from graphql import GraphQLError

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor
from killreport.api.engine.info import FieldInfo
from killreport.api.engine.registry import Resolvers
from killreport.api.killmail.parts import resolve_attackers, resolve_items
from killreport.api.killmail.views import KillmailView, load_views
from killreport.killmail.queries import MAX_PAGE, get_killmails, list_killmails

resolvers = Resolvers()


@dataclass(frozen=True, slots=True)
class PageInfoView:
    """Whether and where a list goes on."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A page of killmails."""

    nodes: list[KillmailView]
    page_info: PageInfoView


async def resolve_killmails(
    _root: Sequence[None], info: FieldInfo, *, first: int, after: str | None = None
) -> list[ConnectionView]:
    """Return one page, newest first. Raises GraphQLError for a page size or a cursor that cannot be."""
    context: ApiContext = info.context
    if not 1 <= first <= MAX_PAGE:
        raise GraphQLError(f"`first` must be from 1 to {MAX_PAGE}, not {first}.", extensions={"code": "BAD_REQUEST"})
    before = None if after is None else decode_cursor(after)
    async with context.database.connection() as connection:
        rows = await list_killmails(connection, first + 1, before)
    page = rows[:first]
    nodes = await load_views(context.database, context.views, page)
    cursors = [nodes[0].cursor, nodes[-1].cursor] if nodes else [None, None]
    return [ConnectionView(nodes, PageInfoView(len(rows) > first, after is not None, *cursors))]


async def resolve_killmail(
    _root: Sequence[None],
    info: FieldInfo,
    *,
    id: int,  # noqa: A002 - the schema's name
) -> list[KillmailView | None]:
    """Return one killmail, None where it is not stored."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        rows = await get_killmails(connection, [id])
    views = await load_views(context.database, context.views, rows)
    return [views[0] if views else None]


def follow_stored(info: FieldInfo) -> AsyncIterator[KillmailView]:
    """Return an async iterator of what is stored from now on; not a generator, which would begin when first read."""
    context: ApiContext = info.context
    return context.live.subscribe()


resolvers.field("Query", "killmails", resolve_killmails)
resolvers.field("Query", "killmail", resolve_killmail)
resolvers.field("Killmail", "attackers", resolve_attackers)
resolvers.field("Killmail", "items", resolve_items)
resolvers.source("killmailStored", follow_stored)
