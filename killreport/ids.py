"""Ids of the game: how large they may be, and how they are read.

All are whole numbers from 1 to MAX_ID: the 64 bits of ESI's int64, of a bigint in the database, of an ID64 in GraphQL.
The decoders let nothing else in. Decided in `docs/decisions/0014-ids-of-64-bits.md`.
"""

from __future__ import annotations

MAX_ID = 2**63 - 1
# Of whoever and whatever is counted: a code of `posting`, an id with its kind in one bigint, has room for no more.
MAX_ENTITY_ID = 2**59 - 1
_MAX_DIGITS = len(str(MAX_ID))


def read_whole(text: str, least: int = 0, most: int = MAX_ID) -> int | None:
    """Return the number that plain digits write, None where they write none or one beyond the bounds.

    Bounded before it is read: Python takes long over many digits, and refuses 4,300 of them with an error of its own.
    """
    if not (text.isascii() and text.isdigit() and len(text) <= _MAX_DIGITS):
        return None
    number = int(text)
    return number if least <= number <= most else None


def read_id(text: str) -> int | None:
    """Return the id that the text writes, None where it is none."""
    return read_whole(text, 1)
