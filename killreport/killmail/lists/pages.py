"""Pages of killmails: filtered, ordered exactly, and read from a cursor on in either direction."""

from __future__ import annotations

from killreport.db.database import Connection
from killreport.killmail.filters.plan import plan_of
from killreport.killmail.filters.tree import EVERYTHING, KillmailFilter
from killreport.killmail.lists.newest import read_by_time
from killreport.killmail.lists.page import Cursor, Order, Page, cursor_of
from killreport.killmail.lists.ranked import read_by_figure
from killreport.killmail.lists.rows import RowWindow
from killreport.killmail.stored.queries import MAX_PAGE, KillmailRow

MAX_LOOKED_AT = 1_000


async def list_killmails(
    connection: Connection,
    wanted: KillmailFilter = EVERYTHING,
    order: Order = Order.NEWEST,
    *,
    first: int | None = None,
    after: Cursor | None = None,
    last: int | None = None,
    before: Cursor | None = None,
) -> Page:
    """Return the `first` killmails of the list, those after the cursor; or the `last` ones, those before it.

    Exactly one of first and last, 1 to MAX_PAGE; ValueError otherwise.
    """
    size = last if first is None else first
    if size is None or (first is not None and last is not None) or not 1 <= size <= MAX_PAGE:
        raise ValueError(f"one of first and last is needed, from 1 to {MAX_PAGE}")
    is_forward = first is not None
    cursor = after if is_forward else before
    window = RowWindow(order.column, order.sql_type, is_forward, size + 1, cursor)
    read = read_by_time if order is Order.NEWEST else read_by_figure
    rows = await read(connection, plan_of(wanted), window)
    return Page.cut(rows, size, is_forward=is_forward)


async def list_news(connection: Connection, wanted: KillmailFilter, size: int) -> list[KillmailRow]:
    """Return the newest killmails that pass the filter and were news when they were stored, up to `size`.

    Fewer where they lie behind too many that were history: at most MAX_LOOKED_AT are looked at.
    """
    found: list[KillmailRow] = []
    after: Cursor | None = None
    for _ in range(MAX_LOOKED_AT // MAX_PAGE):
        # The first page is as short as the answer, which it nearly always is.
        page = await list_killmails(connection, wanted, first=size if after is None else MAX_PAGE, after=after)
        found += [row for row in page.rows if not row.is_history]
        if len(found) >= size or not page.has_more:
            break
        after = cursor_of(page.rows[-1])
    return found[:size]
