"""What a page of killmails is: an order, a place in it, and the rows beyond that place."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import NamedTuple

from killreport.killmail.stored.queries import KillmailRow


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


def cursor_of(row: KillmailRow, order: Order = Order.NEWEST) -> Cursor:
    """Return the place of a killmail in a list of that order."""
    return Cursor(getattr(row, order.column), row.killmail_id)
