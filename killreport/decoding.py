"""Decode JSON from outside: any bytes give a value of the wanted shape, or Malformed with the path of what is wrong.

Everything that comes from a feed, a file, a queue or a host goes through here, so that bytes nobody thought of (nested
a thousand deep, numbers beyond every column, HTML, half a document) are an answer and never an accident.
"""

from __future__ import annotations

import re
from datetime import MAXYEAR, MINYEAR, datetime
from typing import Annotated, TypeVar

import msgspec

from killreport.errors import Malformed
from killreport.ids import MAX_ENTITY_ID, MAX_ID

# What msgspec raises for bytes that are no document of the wanted shape; RecursionError some 1,000 levels deep.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)

MAX_INT8 = 2**63 - 1

AnyId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ID)]
EntityId = Annotated[int, msgspec.Meta(ge=1, le=MAX_ENTITY_ID)]
Count = Annotated[int, msgspec.Meta(ge=0, le=MAX_INT8)]
# PostgreSQL's text cannot hold NUL.
MAX_TEXT = 100_000
Text = Annotated[str, msgspec.Meta(pattern=r"^[^\x00]*$", max_length=MAX_TEXT)]

BYTE_ORDER_MARK = b"\xef\xbb\xbf"

_SHAPE = TypeVar("_SHAPE")
_PATH_IN_MESSAGE = re.compile(r"^(?P<reason>.*) - at `(?P<path>[^`]*)`$", re.DOTALL)


def decode_json(body: bytes | msgspec.Raw, shape: type[_SHAPE], *, strict: bool = True) -> _SHAPE:
    """Return the document in this shape. Raises Malformed, and nothing else, for any bytes.

    strict: off takes a number written as text too, as GraphQL writes ids beyond 2^53.
    """
    try:
        return msgspec.json.decode(body, type=shape, strict=strict)
    except UNREADABLE as error:
        raise malformed(body, error) from None


def malformed(body: bytes | msgspec.Raw, error: Exception) -> Malformed:
    """Return what an UNREADABLE means, in words for a person, with the path where there is one."""
    if isinstance(error, RecursionError):
        return Malformed("it is nested too deeply")
    if isinstance(error, msgspec.ValidationError):
        match = _PATH_IN_MESSAGE.match(str(error))
        return Malformed(match["reason"], match["path"].replace("[...]", ".*")) if match else Malformed(str(error))
    return Malformed(f"it is not JSON that can be read ({_looks_like(bytes(body)) or error})")


def is_json(body: bytes) -> bool:
    """Return whether the text is one whole JSON document; one that was cut short is not."""
    try:
        msgspec.json.decode(body, type=msgspec.Raw)
    except UNREADABLE as error:
        return isinstance(error, RecursionError)  # whole or not: another copy would say the same
    return True


def is_storable(instant: datetime) -> bool:
    """Return whether an instant is one in UTC, too: near the ends of the calendar a zone leads beyond it."""
    return MINYEAR < instant.year < MAXYEAR


def _looks_like(body: bytes) -> str | None:
    start = body[:64].lstrip()
    if not start:
        return "it is empty"
    if start.startswith(b"<"):
        return "it looks like HTML"
    if start.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "it is UTF-16, not UTF-8"
    if start.startswith(BYTE_ORDER_MARK):
        return "it begins with a byte order mark"
    return None
