"""Who did what in a solar system on a day, packed: the figures of everybody who is ranked by place.

Everybody on one side of a killmail has the same share in it, and in most systems little else happens on that day. So
each set of figures is there once, with the ids of all who have it. Functions of the database read and write the same.

In memory the six figures of somebody are one number, `JOINED_BITS` apart: what is added to a thousand participants is
added by one addition each, and below zero as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, repeat
from struct import Struct

import msgspec

from killreport.entity.kind import EntityKind
from killreport.killmail.postings.codes import KIND_BITS, KIND_MASK

SYSTEM_COUNTS = ("kills", "losses", "solo_kills", "points_won", "isk_destroyed_cents", "isk_lost_cents")
# In the order of their ids in a row.
SYSTEM_KINDS = (EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE, EntityKind.SHIP_TYPE)
JOINED_BITS = 64
_VERSION = 1
JOINED_MASK = (1 << JOINED_BITS) - 1
_FIGURES = Struct(f"<{len(SYSTEM_COUNTS)}q")
# Plain numbers, as in `named.py`.
_KINDS = tuple(map(int, SYSTEM_KINDS))
_INDEX_OF_KIND = {kind: index for index, kind in enumerate(_KINDS)}
# A row begins with the version, how many sets of figures there are, and how many ids of each kind. Then come the sets,
# and for each kind how many ids have each set, and the ids in that order.
_HEAD = 2 + len(SYSTEM_KINDS)
_decode = msgspec.msgpack.Decoder(list[int]).decode
_encode = msgspec.msgpack.Encoder().encode

Sums = dict[int, int]
"""The figures of everybody, joined, by id."""
People = Iterable[tuple[int, int]]
"""Ids with their figures, joined."""


def join(figures: Sequence[int]) -> int:
    """Return the six figures as one number."""
    won, lost, solo, points, destroyed, isk_lost = figures
    return won + (lost << 64) + (solo << 128) + (points << 192) + (destroyed << 256) + (isk_lost << 320)


def split(joined: int) -> tuple[int, ...]:
    """Return the six figures of one number. Raises OverflowError where one is below zero or beyond a bigint."""
    figures = _FIGURES.unpack(joined.to_bytes(_FIGURES.size, "little", signed=True))
    if min(figures) < 0:
        raise OverflowError(
            "what somebody did in a solar system on a day would be below zero or beyond what can be stored:"
            " `killreport db recount` tells whether the counts are wrong"
        )
    return figures


def pack(sums: Mapping[int, int]) -> bytes:
    """Return the row of a system and day; empty where nobody did anything. Raises OverflowError like `split`.

    sums: the figures of everybody, joined, by code.
    """
    same: dict[int, tuple[list[int], ...]] = {}
    for code, joined in sums.items():
        if joined:
            ids = same.get(joined)
            if ids is None:
                same[joined] = ids = ([], [], [], [])
            ids[_INDEX_OF_KIND[code & KIND_MASK]].append(code >> KIND_BITS)
    if not same:
        return b""
    sections = list(zip(*same.values(), strict=True))
    numbers = [_VERSION, len(same), *(sum(map(len, section)) for section in sections)]
    for joined in same:
        numbers += split(joined)
    for section in sections:
        numbers += map(len, section)
        numbers += chain.from_iterable(section)
    return _encode(numbers)


def people_in(row: bytes, kinds: Collection[int] = _KINDS) -> Iterator[tuple[int, People]]:
    """Yield the kinds that are there and wanted, each with its ids and the joined figures of each id."""
    numbers = _decode(row)
    version, sets = numbers[:2]
    if version != _VERSION:
        raise ValueError(f"figures of version {version} are not known to this release")
    end = _HEAD + sets * len(SYSTEM_COUNTS)
    columns = (numbers[at : end : len(SYSTEM_COUNTS)] for at in range(_HEAD, _HEAD + len(SYSTEM_COUNTS)))
    joined = [
        won | lost << 64 | solo << 128 | points << 192 | destroyed << 256 | isk_lost << 320
        for won, lost, solo, points, destroyed, isk_lost in zip(*columns, strict=True)
    ]
    for kind, size in zip(_KINDS, numbers[2:_HEAD], strict=True):
        first = end + sets
        if size and kind in kinds:
            shares = chain.from_iterable(map(repeat, joined, numbers[end:first]))
            yield kind, zip(numbers[first : first + size], shares, strict=True)
        end = first + size


def add_to(sums: Mapping[EntityKind, Sums], rows: Iterable[bytes]) -> None:
    """Add the figures of rows to sums by id; kinds that these do not have are left out."""
    by_kind = {int(kind): of_kind for kind, of_kind in sums.items()}
    for row in rows:
        for kind, people in people_in(row, by_kind):
            found = by_kind[kind]
            for id_, joined in people:
                found[id_] = found.get(id_, 0) + joined
