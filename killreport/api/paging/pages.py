"""Pages of lists: which one the arguments of a connection ask for, and where it stands."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from graphql import GraphQLError

from killreport.api.paging.cursor import IDS

MAX_PAGE_SIZE = 200
DEFAULT_PAGE = 50

T = TypeVar("T")
Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Whether and where a list goes on, in either direction."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Edge(Generic[T]):
    """An entry of a page, and where it stands."""

    node: T
    cursor_of: Callable[[T], str]

    @property
    def cursor(self) -> str:
        """Return the entry's cursor; made only where it is asked for."""
        return self.cursor_of(self.node)


@dataclass(frozen=True, slots=True)
class Connection(Generic[T]):
    """A page of a list. cursor_of: one of its entries; total_count: of the whole list, where it is known."""

    nodes: Sequence[T]
    page_info: PageInfo
    cursor_of: Callable[[T], str]
    total_count: int | None = None

    @property
    def edges(self) -> list[Edge[T]]:
        """Return the entries with their cursors."""
        return [Edge(node, self.cursor_of) for node in self.nodes]


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[Place]):
    """`size` entries beyond the cursor: after it, or where it is not forward, before it."""

    size: int
    cursor: Place | None
    is_forward: bool

    def bounds(self) -> dict[str, Any]:
        """Return it as the arguments `first` and `after`, or `last` and `before`."""
        names = ("first", "after") if self.is_forward else ("last", "before")
        return dict(zip(names, (self.size, self.cursor), strict=True))

    def info(self, cursors: Sequence[str], *, has_more: bool) -> PageInfo:
        """Return where the page stands. cursors: of its first and last entry, at least; has_more: beyond it.

        Beyond is in the direction of reading. On the other side there is something if the page has a cursor, for that
        is the cursor of an entry there.
        """
        has_cursor = self.cursor is not None
        return PageInfo(
            has_next_page=has_more if self.is_forward else has_cursor,
            has_previous_page=has_cursor if self.is_forward else has_more,
            start_cursor=cursors[0] if cursors else None,
            end_cursor=cursors[-1] if cursors else None,
        )


@dataclass(frozen=True, slots=True)
class PageArguments:
    """The arguments of a connection as they were given."""

    first: int | None = None
    after: str | None = None
    last: int | None = None
    before: str | None = None

    def read(self, decode: Callable[[str, str], Place]) -> PageRequest[Place]:
        """Return the page that is asked for. Raises GraphQLError for what does not go together.

        decode: returns the place of a cursor; told the name of the argument too, for its error.
        """
        if self.last is None and self.before is None:
            size = checked_size("first", DEFAULT_PAGE if self.first is None else self.first)
            return PageRequest(size, None if self.after is None else decode(self.after, "after"), True)
        if self.first is not None or self.after is not None:
            raise bad_request("Give `first` and `after` to read on, or `last` and `before` to read back, not both.")
        size = checked_size("last", DEFAULT_PAGE if self.last is None else self.last)
        return PageRequest(size, None if self.before is None else decode(self.before, "before"), False)


def checked_size(argument: str, size: int, most: int = MAX_PAGE_SIZE) -> int:
    """Return the size of a list. Raises GraphQLError (BAD_REQUEST) where nobody may ask for so many."""
    if not 1 <= size <= most:
        raise bad_request(f"`{argument}` must be from 1 to {most}, not {size}.")
    return size


def bad_request(message: str) -> GraphQLError:
    """Return the error of an argument that cannot be; the message names it."""
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def page_of(
    asked: PageRequest[int], found: Sequence[T], id_of: Callable[[T], int], total: int | None = None
) -> Connection[T]:
    """Return the page that was asked for of a list whose cursors are ids.

    found: in the list's order, with one entry beyond the page where there is one; it is on the far side.
    """

    def cursor_of(one: T) -> str:
        return IDS.encode(id_of(one))

    page = found[: asked.size] if asked.is_forward else found[-asked.size :]
    cursors = [cursor_of(one) for one in (*page[:1], *page[-1:])]
    return Connection(page, asked.info(cursors, has_more=len(found) > asked.size), cursor_of, total)
