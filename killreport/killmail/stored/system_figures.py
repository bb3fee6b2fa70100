"""Who did what in a solar system on a day: one packed row of everybody who is ranked by place.

Everybody on one side of a killmail has the same share in it, and in most systems little else happens on that day. So
the row has each set of figures once, and the ids of all who have it (`docs/decisions/0027-packed-statistics.md`). It is
read, changed and written again by whoever holds its day (`killreport.killmail.postings.changes`).

In memory the six figures of somebody are one number, `JOINED_BITS` apart: what is added to a thousand participants is
added by one addition each, and below zero as well.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import chain, repeat
from struct import Struct

import msgspec

from killreport.db.database import Connection
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
_PLACE_OF_KIND = {kind: place for place, kind in enumerate(_KINDS)}
# A row begins with the version, how many sets of figures there are, and how many ids of each kind. Then come the sets,
# and for each kind how many ids have each set, and the ids in that order.
_HEAD = 2 + len(SYSTEM_KINDS)
_SAVE = """insert into system_figures (solar_system_id, day, figures)
    select * from unnest($1::bigint[], $2::date[], $3::bytea[])
    on conflict (solar_system_id, day) do update set figures = excluded.figures"""
_DELETE = """delete from system_figures using unnest($1::bigint[], $2::date[]) as emptied (solar_system_id, day)
    where (system_figures.solar_system_id, system_figures.day) = (emptied.solar_system_id, emptied.day)"""
_STORED = """select solar_system_id, day, figures from system_figures
    join unnest($1::bigint[], $2::date[]) as wanted (solar_system_id, day) using (solar_system_id, day)"""
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


def part(joined: int) -> tuple[int, ...]:
    """Return the six figures of one number. Raises OverflowError where one is below zero or beyond a bigint."""
    figures = _FIGURES.unpack(joined.to_bytes(_FIGURES.size, "little", signed=True))
    if min(figures) < 0:
        raise OverflowError(
            "what somebody did in a solar system on a day would be below zero or beyond what can be stored:"
            " `killreport db recount` tells whether the counts are wrong"
        )
    return figures


def pack(sums: Mapping[int, int]) -> bytes:
    """Return the row of a system and day; empty where nobody did anything. Raises OverflowError like `part`.

    sums: the figures of everybody, joined, by code.
    """
    same: dict[int, tuple[list[int], ...]] = {}
    for code, joined in sums.items():
        if joined:
            ids = same.get(joined)
            if ids is None:
                same[joined] = ids = ([], [], [], [])
            ids[_PLACE_OF_KIND[code & KIND_MASK]].append(code >> KIND_BITS)
    if not same:
        return b""
    sections = list(zip(*same.values(), strict=True))
    numbers = [_VERSION, len(same), *(sum(map(len, section)) for section in sections)]
    for joined in same:
        numbers += part(joined)
    for section in sections:
        numbers += map(len, section)
        numbers += chain.from_iterable(section)
    return _encode(numbers)


def people_in(row: bytes, places: Collection[int] = range(len(SYSTEM_KINDS))) -> Iterator[tuple[int, People]]:
    """Yield places in SYSTEM_KINDS, those wanted, each with the ids there and the joined figures of each id."""
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
    for place, size in enumerate(numbers[2:_HEAD]):
        first = end + sets
        if size and place in places:
            shares = chain.from_iterable(map(repeat, joined, numbers[end:first]))
            yield place, zip(numbers[first : first + size], shares, strict=True)
        end = first + size


def add_to(sums: Mapping[EntityKind, Sums], rows: Iterable[bytes]) -> None:
    """Add the figures of rows to sums by id; kinds that these do not have are left out."""
    wanted = {SYSTEM_KINDS.index(kind): of_kind for kind, of_kind in sums.items()}
    for row in rows:
        for place, people in people_in(row, wanted):
            found = wanted[place]
            for id_, joined in people:
                found[id_] = found.get(id_, 0) + joined


async def save_figures(connection: Connection, changes: Mapping[tuple[int, date], Mapping[int, int]]) -> None:
    """Add changes, joined and by code, to the rows of these systems and days. The caller holds the locks of the days.

    Not idempotent. A row that has nobody left is deleted. Raises OverflowError like `part`.
    """
    wanted = sorted(key for key, of_key in changes.items() if any(of_key.values()))
    if not wanted:
        return
    stored = await connection.fetch(_STORED, *zip(*wanted, strict=True))
    rows = {(system, day): row for system, day, row in map(tuple, stored)}
    changed = [(*key, pack(_add(rows.get(key), changes[key]))) for key in wanted]
    kept, emptied = [row for row in changed if row[2]], [row[:2] for row in changed if not row[2]]
    if kept:
        await connection.execute(_SAVE, *zip(*kept, strict=True))
    if emptied:
        await connection.execute(_DELETE, *zip(*emptied, strict=True))


def _add(row: bytes | None, changes: Mapping[int, int]) -> Mapping[int, int]:
    if row is None:
        return changes
    sums = dict(changes)
    for place, people in people_in(row):
        kind = _KINDS[place]
        for id_, joined in people:
            code = id_ << KIND_BITS | kind
            sums[code] = sums.get(code, 0) + joined
    return sums
