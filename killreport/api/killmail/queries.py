"""Resolvers of killmails: the list, one, and the live ones."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ariadne import QueryType, SubscriptionType
from graphql import GraphQLError

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor
from killreport.api.killmail.views import KillmailView, load_views
from killreport.killmail.queries import MAX_PAGE, get_killmails, list_killmails

query = QueryType()
subscription = SubscriptionType()


@dataclass(frozen=True, slots=True)
class PageInfoView:
    """Whether and where a list goes on."""

    has_next_page: bool
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A page of killmails."""

    nodes: list[KillmailView]
    page_info: PageInfoView


@query.field("killmails")
async def resolve_killmails(_root: Any, info: Any, *, first: int, after: str | None = None) -> ConnectionView:
    """Return one page, newest first. Raises GraphQLError for a page size or a cursor that cannot be."""
    context: ApiContext = info.context
    if not 1 <= first <= MAX_PAGE:
        raise GraphQLError(f"`first` must be from 1 to {MAX_PAGE}, not {first}.", extensions={"code": "BAD_REQUEST"})
    before = None if after is None else decode_cursor(after)
    async with context.database.connection() as connection:
        rows = await list_killmails(connection, first + 1, before)
    page = rows[:first]
    nodes = await load_views(context.database, context.views, page)
    return ConnectionView(nodes, PageInfoView(len(rows) > first, nodes[-1].cursor if nodes else None))


@query.field("killmail")
async def resolve_killmail(_root: Any, info: Any, *, id: int) -> KillmailView | None:  # noqa: A002 - the schema's name
    """Return one killmail, None where it is not stored."""
    context: ApiContext = info.context
    async with context.database.connection() as connection:
        rows = await get_killmails(connection, [id])
    views = await load_views(context.database, context.views, rows)
    return views[0] if views else None


@subscription.source("killmailStored")
def follow_stored(_root: Any, info: Any) -> Any:
    """Return an async iterator of what is stored from now on; not a generator, which would begin when first read."""
    context: ApiContext = info.context
    return context.live.subscribe()


@subscription.field("killmailStored")
def resolve_stored(killmail: KillmailView, _info: Any) -> KillmailView:
    """Return the event itself: it is the killmail."""
    return killmail
