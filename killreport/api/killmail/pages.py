"""Pages of killmails as the schema shows them, and the arguments that ask for one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from operator import attrgetter

from killreport.api.context import ApiContext, Info
from killreport.api.paging.cursor import decode_cursor
from killreport.api.paging.pages import Connection, PageArguments, PageRequest, bad_request
from killreport.api.views.killmail import KillmailView, load_views
from killreport.clock import utc_now
from killreport.errors import Refused
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.by_day import DayCount, count_by_day
from killreport.killmail.lists.count import ListCount, count_killmails
from killreport.killmail.lists.page import Cursor, Order, Page

DEFAULT_DAYS = timedelta(days=30)
_CURSOR_OF: Callable[[KillmailView], str] = attrgetter("cursor")


@dataclass(frozen=True, slots=True)
class ConnectionView(Connection[KillmailView]):
    """A page of killmails. wanted: what the list is of, None for one that nobody counts."""

    wanted: KillmailFilter | None = None


def read_page(
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    order: Order = Order.NEWEST,
) -> PageRequest[Cursor]:
    """Return what the four arguments of a connection ask for. Raises GraphQLError for what does not go together."""
    return PageArguments(first, after, last, before).read(lambda cursor, name: decode_cursor(cursor, order, name))


def connection_of(
    asked: PageRequest[Cursor], nodes: list[KillmailView], *, has_more: bool, wanted: KillmailFilter | None
) -> ConnectionView:
    """Return these killmails as the page that was asked for. wanted: see `ConnectionView`."""
    cursors = [node.cursor for node in (*nodes[:1], *nodes[-1:])]
    return ConnectionView(nodes, asked.info(cursors, has_more=has_more), _CURSOR_OF, wanted=wanted)


async def load_connections(
    context: ApiContext,
    asked: PageRequest[Cursor],
    pages: Mapping[int, Page],
    ids: Iterable[int],
    wanted: Callable[[int], KillmailFilter | None] = lambda _: None,
) -> list[ConnectionView]:
    """Return the pages of several lists, of what has these ids in their order, with one statement for all names.

    A killmail that is in several has one view. wanted: told such an id, returns what its list is of.
    """
    rows = {row.killmail_id: row for page in pages.values() for row in page.rows}
    views = {view.id: view for view in await load_views(context.database, context.views, list(rows.values()))}
    connections = {
        of: connection_of(
            asked, [views[row.killmail_id] for row in page.rows], has_more=page.has_more, wanted=wanted(of)
        )
        for of, page in pages.items()
    }
    return [connections[id_] for id_ in ids]


async def resolve_counts(connections: Sequence[ConnectionView], info: Info) -> list[ListCount | None]:
    """Return how many killmails each list has, None of a list that nobody counts."""
    counted = list(dict.fromkeys(page.wanted for page in connections if page.wanted is not None))
    if not counted:
        return [None] * len(connections)
    async with info.context.database.connection() as connection:
        counts = dict(zip(counted, await count_killmails(connection, counted), strict=True))
    return [None if page.wanted is None else counts[page.wanted] for page in connections]


async def resolve_total_count(connections: Sequence[ConnectionView], info: Info) -> list[int | None]:
    """Return how long each list is, or at least is."""
    return [None if count is None else count.killmails for count in await resolve_counts(connections, info)]


async def resolve_is_exact(connections: Sequence[ConnectionView], info: Info) -> list[bool | None]:
    """Tell of each list whether `totalCount` is its length, and not a bound from below."""
    return [None if count is None else count.is_exact for count in await resolve_counts(connections, info)]


async def resolve_days(
    connections: Sequence[ConnectionView], info: Info, **arguments: date | None
) -> list[list[DayCount] | None]:
    """Return the days of each list, None of a list that nobody counts. Raises GraphQLError for too many days."""
    last = arguments.get("to") or utc_now().date()
    first = arguments.get("from") or last - DEFAULT_DAYS
    found: list[list[DayCount] | None] = []
    try:
        async with info.context.database.connection() as connection:
            for page in connections:
                wanted = page.wanted
                found.append(None if wanted is None else await count_by_day(connection, wanted, first, last))
    except Refused as error:
        raise bad_request(str(error)) from None
    return found
