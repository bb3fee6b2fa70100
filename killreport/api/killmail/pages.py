"""Pages of killmails as the schema shows them, and the arguments that ask for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor
from killreport.api.engine.info import FieldInfo
from killreport.api.killmail.views import KillmailView
from killreport.api.pages import PageArguments, PageInfo, PageRequest
from killreport.killmail.filter_tree import KillmailFilter
from killreport.killmail.list_count import count_killmails
from killreport.killmail.lists import Cursor, Order


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A page of killmails. wanted: what the list is of, None for one that nobody counts."""

    nodes: list[KillmailView]
    page_info: PageInfo
    wanted: KillmailFilter | None


def read_page(
    first: int | None, after: str | None, last: int | None, before: str | None, order: Order
) -> PageRequest[Cursor]:
    """Return what the four arguments of a connection ask for. Raises GraphQLError for what does not go together."""
    return PageArguments(first, after, last, before).read(lambda cursor, name: decode_cursor(cursor, order, name))


async def resolve_total_count(connections: Sequence[ConnectionView], info: FieldInfo) -> list[int | None]:
    """Return how many killmails each list has, None where no rollup has counted them."""
    context: ApiContext = info.context
    counted = list(dict.fromkeys(page.wanted for page in connections if page.wanted is not None))
    if not counted:
        return [None] * len(connections)
    async with context.database.connection() as connection:
        counts = dict(zip(counted, await count_killmails(connection, counted), strict=True))
    return [None if page.wanted is None else counts[page.wanted] for page in connections]
