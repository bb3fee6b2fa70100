"""Pages of lists: which one the four arguments of a connection ask for, and where it stands."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql import GraphQLError

MOST = 200
DEFAULT_PAGE = 50
_LONGEST = 32

Place = TypeVar("Place")


@dataclass(frozen=True, slots=True)
class PageInfoView:
    """Whether and where a list goes on, in either direction."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest(Generic[Place]):
    """`size` entries beyond the cursor: after it, or where it is not forward, before it."""

    size: int
    cursor: Place | None
    is_forward: bool

    def info(self, cursors: Sequence[str], *, has_more: bool) -> PageInfoView:
        """Return where the page stands. has_more: beyond it, in the direction of reading.

        On the other side there is something if the page has a cursor, for that is the cursor of an entry there.
        """
        has_cursor = self.cursor is not None
        return PageInfoView(
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

    def read(self, decode: Callable[[str], Place]) -> PageRequest[Place]:
        """Return the page that is asked for. Raises GraphQLError for what does not go together."""
        if self.last is None and self.before is None:
            size = checked_size("first", DEFAULT_PAGE if self.first is None else self.first)
            return PageRequest(size, None if self.after is None else decode(self.after), True)
        if self.first is not None or self.after is not None:
            raise bad_request("Give `first` and `after` to read on, or `last` and `before` to read back, not both.")
        size = checked_size("last", DEFAULT_PAGE if self.last is None else self.last)
        return PageRequest(size, None if self.before is None else decode(self.before), False)


def checked_size(argument: str, size: int, most: int = MOST) -> int:
    """Return the size of a list. Raises GraphQLError where nobody may ask for so many."""
    if not 1 <= size <= most:
        raise bad_request(f"`{argument}` must be from 1 to {most}, not {size}.")
    return size


def bad_request(message: str) -> GraphQLError:
    """Return the error of an argument that cannot be; the message names it."""
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def encode_id(number: int) -> str:
    """Return the cursor of the entry with this id."""
    return base64.urlsafe_b64encode(f"i{number}".encode()).decode().rstrip("=")


def decode_id(cursor: str) -> int:
    """Return the id of a cursor. Raises GraphQLError (BAD_CURSOR) for what `encode_id` never gave."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError(cursor)
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        number = int(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").removeprefix("i"))
        if encode_id(number) != cursor or not 0 <= number < 2**63:
            raise ValueError(cursor)
    except (ValueError, binascii.Error):
        raise GraphQLError(
            "`after` or `before` is not a cursor of this list: give one of `pageInfo` of an earlier page, unchanged.",
            extensions={"code": "BAD_CURSOR"},
        ) from None
    return number
