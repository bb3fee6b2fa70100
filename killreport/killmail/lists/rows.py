"""The rows of killmails that postings lead to, in the order of a list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from killreport.clock import span_of_day
from killreport.db.database import Connection
from killreport.killmail.filters.plan import Plan
from killreport.killmail.filters.predicates import Binder
from killreport.killmail.stored.queries import KILLMAIL_ROW, KillmailRow, killmail_row


@dataclass(frozen=True, slots=True)
class RowWindow:
    """Which rows of an ordered list: `limit` ones beyond the cursor, in the direction of reading.

    column: what the list is ordered by, then by id. is_descending: of the reading, which backwards is not the list's.
    """

    column: str
    sql_type: str
    is_descending: bool
    limit: int
    cursor: tuple[datetime | int, int] | None = None

    @classmethod
    def by_time(
        cls, limit: int, *, is_descending: bool = True, cursor: tuple[datetime, int] | None = None
    ) -> RowWindow:
        """Return a window of a list in order of time."""
        return cls("killmail_time", "timestamptz", is_descending, limit, cursor)

    @property
    def order(self) -> str:
        """Return the `order by … limit …`. The limit is a literal, because the plan hangs on it."""
        direction = " desc" if self.is_descending else ""
        return f"order by {self.column}{direction}, killmail_id{direction} limit {self.limit}"

    def beyond(self, binder: Binder) -> list[str]:
        """Return the condition that leaves out everything up to the cursor."""
        if self.cursor is None:
            return []
        bound = f"{binder.bind(self.cursor[0], self.sql_type)}, {binder.bind(self.cursor[1], 'bigint')}"
        return [f"({self.column}, killmail_id) {'<' if self.is_descending else '>'} ({bound})"]


async def read_rows(
    connection: Connection, plan: Plan, window: RowWindow, killmail_ids: Sequence[int] | None
) -> list[KillmailRow]:
    """Return the rows of the window among these ids, or among all: those that pass what the plan asks of a row in SQL.

    Looks every id up, so that they should be few.
    """
    binder = Binder()
    where = [*plan.sql(binder), *window.beyond(binder)]
    if killmail_ids is not None:
        where.append(f"killmail_id = any({binder.bind(killmail_ids, 'bigint[]')})")
    condition = f"where {' and '.join(where)}" if where else ""
    return _rows(
        await connection.fetch(
            f"select {KILLMAIL_ROW} from killmail k {condition} {window.order}",  # noqa: S608 - names of our own
            *binder.arguments,
        )
    )


async def read_rows_of_day(
    connection: Connection, plan: Plan, window: RowWindow, day: date, killmail_ids: Sequence[int]
) -> list[KillmailRow]:
    """Return the same of one day: walks its killmails in the order of time until the window is full.

    `offset 0` keeps PostgreSQL from looking up thousands of ids where a page of them is wanted.
    """
    binder = Binder()
    begin, end = span_of_day(day)
    bounds = [
        f"killmail_time >= {binder.bind(begin, 'timestamptz')}",
        f"killmail_time < {binder.bind(end, 'timestamptz')}",
        *window.beyond(binder),
    ]
    direction = " desc" if window.is_descending else ""
    where = [*plan.sql(binder), f"killmail_id = any({binder.bind(killmail_ids, 'bigint[]')})"]
    return _rows(
        await connection.fetch(
            f"""select {KILLMAIL_ROW} from (
                    select * from killmail where {" and ".join(bounds)}
                    order by killmail_time{direction}, killmail_id{direction} offset 0) k
                where {" and ".join(where)} limit {window.limit}""",  # noqa: S608 - names of our own
            *binder.arguments,
        )
    )


def _rows(found: Sequence[Sequence[object]]) -> list[KillmailRow]:
    return [killmail_row(row) for row in found]
