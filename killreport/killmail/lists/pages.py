"""Pages of killmails: filtered, ordered exactly, and read from a cursor on in either direction."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum
from typing import Any, NamedTuple

from killreport.db.database import Connection
from killreport.killmail.filters.branches import Branch, branches_of
from killreport.killmail.filters.sql import RowWindow, count_statement, page_statement
from killreport.killmail.filters.tree import EVERYTHING, Condition, KillmailFilter
from killreport.killmail.stored.queries import MAX_PAGE, KillmailRow

RELATED_BEFORE = timedelta(hours=1)
RELATED_AFTER = timedelta(hours=2)
MAX_LOOKED_AT = 1_000


class Order(Enum):
    """What a list begins with; killmails that are equal in it are ordered by id, the larger first."""

    NEWEST = ("killmail_time", "timestamptz")
    MOST_VALUABLE = ("total_value_cents", "bigint")
    MOST_POINTS = ("points", "int")

    @property
    def column(self) -> str:
        """Return the column the list is ordered by."""
        return self.value[0]

    @property
    def sql_type(self) -> str:
        """Return the column's type."""
        return self.value[1]


class Cursor(NamedTuple):
    """A place in an ordered list: the killmail with this key and id. It need not be stored any more."""

    key: datetime | int
    killmail_id: int


@dataclass(frozen=True, slots=True)
class Page:
    """Some killmails of a list, in its order. has_more: in the direction that was read, others follow."""

    rows: list[KillmailRow]
    has_more: bool

    @classmethod
    def cut(cls, read: list[KillmailRow], size: int, *, is_forward: bool) -> Page:
        """Return the page of rows as they were read, backwards too, with one beyond it where there is one."""
        page = read[:size]
        return cls(page if is_forward else page[::-1], len(read) > size)


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

    Exactly one of first and last, 1 to MAX_PAGE; ValueError otherwise. Costs a page where an index leads to the
    filter's killmails in order of time; by value or points, as much as the filter's killmails of the time asked for.
    """
    size = last if first is None else first
    if size is None or (first is not None and last is not None) or not 1 <= size <= MAX_PAGE:
        raise ValueError(f"one of first and last is needed, from 1 to {MAX_PAGE}")
    is_forward = first is not None
    cursor = after if is_forward else before
    rows = await _read(connection, wanted, RowWindow(order.column, order.sql_type, is_forward, size + 1, cursor))
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


def cursor_of(row: KillmailRow, order: Order = Order.NEWEST) -> Cursor:
    """Return the place of a killmail in a list of that order."""
    return Cursor(getattr(row, order.column), row.killmail_id)


async def list_related(
    connection: Connection,
    killmails: Sequence[KillmailRow],
    limit: int,
    cursor: Cursor | None = None,
    *,
    is_forward: bool = True,
) -> list[Page]:
    """Return of each killmail a page of what died in its system from an hour before to two hours after, oldest first.

    Source of the window: zKillboard's related kills.
    limit: 1 to MAX_PAGE of each. cursor: read on after it; not forward, read back before it, or from the end.
    """
    direction, beyond = ("asc", ">") if is_forward else ("desc", "<")
    limits = "" if cursor is None else f"and (found.killmail_time, found.killmail_id) {beyond} ($5, $6)"
    columns = ", ".join(f"k.{name}" for name in KillmailRow.__struct_fields__)
    rows = await connection.fetch(
        f"""select asked.place, {columns}
             from unnest($1::bigint[], $2::timestamptz[]) with ordinality as asked(system_id, at, place)
            cross join lateral (
              select * from killmail found
               where found.solar_system_id = asked.system_id
                 and found.killmail_time >= asked.at - $3::interval and found.killmail_time < asked.at + $4::interval
                 {limits}
               order by found.killmail_time {direction}, found.killmail_id {direction} limit {limit + 1:d}) k
            order by asked.place, k.killmail_time {direction}, k.killmail_id {direction}""",  # noqa: S608 - names and numbers of our own
        [killmail.solar_system_id for killmail in killmails],
        [killmail.killmail_time for killmail in killmails],
        RELATED_BEFORE,
        RELATED_AFTER,
        *(cursor or ()),
    )
    found: dict[int, list[KillmailRow]] = {}
    for place, *values in rows:
        found.setdefault(place, []).append(KillmailRow(*values))
    return [Page.cut(found.get(place, []), limit, is_forward=is_forward) for place in range(1, len(killmails) + 1)]


async def _read(connection: Connection, wanted: KillmailFilter, window: RowWindow) -> list[KillmailRow]:
    branches = branches_of(wanted.root)
    leaders = await _choose_leaders(connection, [branch for branch in branches if branch.is_contested])
    statement, arguments = page_statement(branches, leaders, window)
    if wanted == EVERYTHING:
        # There is one plan for it, whatever the cursor, so that a kept statement is as good as a new one.
        rows = await connection.fetch(statement, *arguments)
    else:
        rows = await _fetch(connection, statement, arguments)
    return [KillmailRow(*row) for row in rows]


async def _choose_leaders(connection: Connection, branches: Sequence[Branch]) -> dict[Branch, Condition]:
    """Return the lead with the fewest killmails of each branch; where all have many, the first of the table."""
    if not branches:
        return {}
    (counts,) = await _fetch(connection, *count_statement(branches))
    remaining = iter(counts)
    leaders = {}
    for branch in branches:
        _, place = min((next(remaining), place) for place in range(len(branch.leads)))
        leaders[branch] = branch.leads[place]
    return leaders


async def _fetch(connection: Connection, statement: str, arguments: Sequence[object]) -> list[Any]:
    """Run a statement under a plan of its own.

    The empty name keeps it out of asyncpg's cache: from the sixth time on, PostgreSQL may plan a kept statement once
    for all arguments, and the plan for a busy alliance is the wrong one for a quiet one.
    """
    prepared = await connection.prepare(statement, name="")
    rows: list[Any] = await prepared.fetch(*arguments)
    return rows
