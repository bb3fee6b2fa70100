"""Numbered pages of killmails, for callers that know no cursor: page 7 begins where page 6 ended.

A page is reached by reading what lies before it, from the nearest page whose end is remembered. So somebody who reads
one page after the other pays for each of them once, and a jump costs at most MAX_READ killmails.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from cachetools import TTLCache

from killreport.clock import monotonic
from killreport.db.database import Connection
from killreport.errors import Refused
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.page import Cursor, cursor_of
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.stored.queries import MAX_PAGE, KillmailRow

PAGE = MAX_PAGE
MAX_PAGES = 100
MAX_READ = PAGE * MAX_PAGES
# A list grows at its beginning: the end of a page that was read long ago is no longer the end of that page.
REMEMBERED_SECONDS = 600.0
MAX_REMEMBERED = 5_000

Key: TypeAlias = tuple[KillmailFilter, str, int]


class NumberedPages:
    """Reads pages by number and remembers where they ended; keep one for the process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._ends: TTLCache[Key, Cursor, float] = TTLCache(MAX_REMEMBERED, REMEMBERED_SECONDS, clock)

    async def read(
        self,
        connection: Connection,
        wanted: KillmailFilter,
        number: int,
        keep: tuple[str, Callable[[KillmailRow], bool]] | None = None,
    ) -> list[KillmailRow]:
        """Return the page, newest first; an empty one lies beyond the end of the list.

        keep: a further condition with a name of its own, for what the filter cannot say; killmails that fail it do not
        count. Raises Refused where more than MAX_READ killmails lie before the end of the page.
        """
        if not 1 <= number <= MAX_PAGES:
            raise Refused(f"page must be from 1 to {MAX_PAGES}")
        name, passes = keep or ("", None)
        page, after = self._nearest(wanted, name, number)
        rows: list[KillmailRow] = []
        for _ in range(MAX_PAGES):
            found = await list_killmails(connection, wanted, first=PAGE, after=after)
            for row in found.rows:
                after = cursor_of(row)
                if passes is not None and not passes(row):
                    continue
                rows.append(row)
                if len(rows) == PAGE:
                    self._ends[wanted, name, page] = after
                    if page == number:
                        return rows
                    page, rows = page + 1, []
            if not found.has_more:
                return rows if page == number else []
        raise Refused(f"more than {MAX_READ} killmails lie before the end of this page: narrow it by year and month")

    def _nearest(self, wanted: KillmailFilter, name: str, number: int) -> tuple[int, Cursor | None]:
        """Return the first page that has to be read, and where it begins."""
        for page in range(number - 1, 0, -1):
            if (end := self._ends.get((wanted, name, page))) is not None:
                return page + 1, end
        return 1, None
