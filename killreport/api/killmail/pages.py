"""Pages of killmails as the schema shows them, and the arguments that ask for one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from killreport.api.context import ApiContext
from killreport.api.cursor import decode_cursor
from killreport.api.engine.info import FieldInfo
from killreport.api.killmail.filter_input import bad_request
from killreport.api.killmail.views import KillmailView
from killreport.killmail.filter_tree import KillmailFilter
from killreport.killmail.list_count import count_killmails
from killreport.killmail.lists import Cursor, Order
from killreport.killmail.queries import MAX_PAGE

DEFAULT_PAGE = 50


@dataclass(frozen=True, slots=True)
class PageInfoView:
    """Whether and where a list goes on."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class ConnectionView:
    """A page of killmails. wanted: what the list is of, None for one that nobody counts."""

    nodes: list[KillmailView]
    page_info: PageInfoView
    wanted: KillmailFilter | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page: `size` killmails after the cursor, or where it is not forward, before it."""

    size: int
    cursor: Cursor | None
    is_forward: bool

    def info(self, cursors: Sequence[str], *, has_more: bool) -> PageInfoView:
        """Return where the page stands. has_more: beyond it, in the direction of reading.

        On the other side there is something if the page has a cursor, for that is the cursor of a killmail there.
        """
        has_cursor = self.cursor is not None
        return PageInfoView(
            has_next_page=has_more if self.is_forward else has_cursor,
            has_previous_page=has_cursor if self.is_forward else has_more,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


def read_page(first: int | None, after: str | None, last: int | None, before: str | None, order: Order) -> PageRequest:
    """Return what the four arguments of a connection ask for. Raises GraphQLError for what does not go together."""
    if last is None and before is None:
        size = check_size("first", DEFAULT_PAGE if first is None else first)
        return PageRequest(size, None if after is None else decode_cursor(after, order), True)
    if first is not None or after is not None:
        raise bad_request("Give `first` and `after` to read on, or `last` and `before` to read back, not both.")
    size = check_size("last", DEFAULT_PAGE if last is None else last)
    return PageRequest(size, None if before is None else decode_cursor(before, order, "before"), False)


def check_size(argument: str, size: int) -> int:
    """Return the size of a page. Raises GraphQLError where nobody may ask for so many."""
    if not 1 <= size <= MAX_PAGE:
        raise bad_request(f"`{argument}` must be from 1 to {MAX_PAGE}, not {size}.")
    return size


async def resolve_total_count(connections: Sequence[ConnectionView], info: FieldInfo) -> list[int | None]:
    """Return how many killmails each list has, None where no rollup has counted them."""
    context: ApiContext = info.context
    counted = list(dict.fromkeys(page.wanted for page in connections if page.wanted is not None))
    if not counted:
        return [None] * len(connections)
    async with context.database.connection() as connection:
        counts = dict(zip(counted, await count_killmails(connection, counted), strict=True))
    return [None if page.wanted is None else counts[page.wanted] for page in connections]
