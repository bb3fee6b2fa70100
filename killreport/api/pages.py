"""Pages of lists that are ordered by an id, and the sizes a page may have."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from graphql import GraphQLError

MAX_PAGE = 200
_LONGEST = 32

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class PageInfo:
    """Whether and where a list goes on, in either direction."""

    has_next_page: bool
    has_previous_page: bool
    start_cursor: str | None
    end_cursor: str | None


@dataclass(frozen=True, slots=True)
class Connection(Generic[T]):
    """A page of a list. total_count: of the whole list, where it is known."""

    nodes: Sequence[T]
    page_info: PageInfo
    total_count: int | None = None


def checked_size(first: int, name: str = "first", most: int = MAX_PAGE) -> int:
    """Return the size of a page. Raises GraphQLError (BAD_REQUEST) for one that cannot be."""
    if not 1 <= first <= most:
        raise bad_request(f"`{name}` must be from 1 to {most}, not {first}.")
    return first


def bad_request(message: str) -> GraphQLError:
    """Return the error of an argument that cannot be; the message names it."""
    return GraphQLError(message, extensions={"code": "BAD_REQUEST"})


def encode_place(number: int) -> str:
    """Return the cursor of the entry with this id."""
    return base64.urlsafe_b64encode(f"i{number}".encode()).decode().rstrip("=")


def decode_place(cursor: str) -> int:
    """Return the id of a cursor. Raises GraphQLError (BAD_CURSOR) for what `encode_place` never gave."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError(cursor)
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        number = int(base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").removeprefix("i"))
        if encode_place(number) != cursor or not 0 <= number < 2**63:
            raise ValueError(cursor)
    except (ValueError, binascii.Error):
        raise GraphQLError(
            "`after` is not a cursor of this list: give `pageInfo.endCursor` of an earlier page, unchanged.",
            extensions={"code": "BAD_CURSOR"},
        ) from None
    return number


def page_of(
    nodes: Sequence[T], ids: Sequence[int], *, has_more: bool, is_first: bool, total: int | None = None
) -> Connection[T]:
    """Return the page that these nodes, of these ids, are."""
    cursors = [encode_place(number) for number in (ids[0], ids[-1])] if ids else [None, None]
    return Connection(nodes, PageInfo(has_more, not is_first, cursors[0], cursors[1]), total)
