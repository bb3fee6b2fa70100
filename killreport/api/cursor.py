"""Cursors of lists: where a page ended, as text that nobody needs to read."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta

from graphql import GraphQLError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_LONGEST = 64


def encode_cursor(time: datetime, killmail_id: int) -> str:
    """Return the cursor after the killmail of this time and id."""
    text = f"{(time - _EPOCH) // _MICROSECOND}.{killmail_id}"
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def decode_cursor(cursor: str) -> tuple[datetime, int]:
    """Return time and id of a cursor. Raises GraphQLError (BAD_CURSOR) for what `encode_cursor` never gave."""
    try:
        if len(cursor) > _LONGEST:
            raise ValueError(cursor)
        padded = cursor.encode("ascii") + b"=" * (-len(cursor) % 4)
        micros, _, killmail_id = base64.b64decode(padded, altchars=b"-_", validate=True).decode("ascii").partition(".")
        found = _EPOCH + int(micros) * _MICROSECOND, int(killmail_id)
        if encode_cursor(*found) != cursor or not 0 <= found[1] < 2**63:
            raise ValueError(cursor)
    except (ValueError, OverflowError, binascii.Error):
        raise GraphQLError(
            "`after` is not a cursor of this list: give `pageInfo.endCursor` of an earlier page, unchanged.",
            extensions={"code": "BAD_CURSOR"},
        ) from None
    return found
