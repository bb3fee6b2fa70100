"""Cursors of lists: where a page ended, as text that nobody needs to read."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from graphql import GraphQLError

from killreport.killmail.lists.page import Cursor, Order

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_MAX_SPAN = 64
# Before the key, so that a cursor of one order is not taken for one of another; NEWEST came first and has none.
_LETTERS = {Order.NEWEST: "", Order.MOST_VALUABLE: "v", Order.MOST_POINTS: "p"}


def encode_cursor(place: Cursor, order: Order = Order.NEWEST) -> str:
    """Return the cursor after the killmail at this place of a list of that order."""
    key = place.key
    number = (key - _EPOCH) // _MICROSECOND if isinstance(key, datetime) else key
    return _encode(f"{_LETTERS[order]}{number}.{place.killmail_id}")


def decode_cursor(cursor: str, order: Order = Order.NEWEST, argument: str = "after") -> Cursor:
    """Return the place of a cursor. Raises GraphQLError (BAD_CURSOR) for what `encode_cursor` never gave."""
    letter = _LETTERS[order]
    try:
        text = _decode(cursor)
        number, _, killmail_id = text.removeprefix(letter).partition(".")
        key = _EPOCH + int(number) * _MICROSECOND if order is Order.NEWEST else int(number)
        found = Cursor(key, int(killmail_id))
        is_bounded = 0 <= found.killmail_id < 2**63 and -(2**63) <= int(number) < 2**63
        if encode_cursor(found, order) != cursor or not is_bounded or _is_beyond(found, order):
            raise ValueError(cursor)
    except (ValueError, OverflowError, binascii.Error):
        raise bad_cursor(argument) from None
    return found


@dataclass(frozen=True, slots=True)
class Numbers:
    """Cursors of lists that are in the order of a number. letter: tells them from those of other lists."""

    letter: str
    end: int

    def encode(self, number: int) -> str:
        """Return the cursor of the entry with this number."""
        return _encode(f"{self.letter}{number}")

    def decode(self, cursor: str, argument: str = "after") -> int:
        """Return the number of a cursor. Raises GraphQLError (BAD_CURSOR) for what `encode` never gave."""
        try:
            number = int(_decode(cursor).removeprefix(self.letter))
            if self.encode(number) != cursor or not 0 <= number < self.end:
                raise ValueError(cursor)
        except (ValueError, binascii.Error):
            raise bad_cursor(argument) from None
        return number


IDS = Numbers("i", 2**63)
# Places of a list that never changes.
ORDINALS = Numbers("n", 2**15)


def bad_cursor(argument: str) -> GraphQLError:
    """Return the error of a cursor that this list never gave."""
    end = "startCursor" if argument == "before" else "endCursor"
    return GraphQLError(
        f"`{argument}` is not a cursor of this list: give `pageInfo.{end}` of an earlier page, unchanged.",
        extensions={"code": "BAD_CURSOR"},
    )


def _encode(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _decode(cursor: str) -> str:
    if len(cursor) > _MAX_SPAN:
        raise ValueError(cursor)
    padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
    return base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii")


def _is_beyond(place: Cursor, order: Order) -> bool:
    """Tell whether the key does not fit its column."""
    return order is Order.MOST_POINTS and isinstance(place.key, int) and abs(place.key) >= 2**31
