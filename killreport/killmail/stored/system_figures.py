"""Who did what in a solar system on a day: one packed row of everybody who is ranked by place.

Everybody on one side of a killmail has the same share in it, and in most systems little else happens on that day. So
the row has each set of figures once, followed by the ids of all who have it: a third of what a row of each of them
takes, and no more than the columns of arrays would (`docs/decisions/0027-packed-statistics.md`). It is read, changed
and written again, by whoever holds the lock of its day (`killreport.killmail.stored.rollup`).

In memory the six figures of somebody are one number, `JOINED_BITS` apart: what is added to a thousand participants is
added by one addition each, and below zero as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
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
_IDS = len(SYSTEM_COUNTS) + len(SYSTEM_KINDS)  # what stands before them
_SAVE = """insert into system_figures (solar_system_id, day, figures)
    select * from unnest($1::bigint[], $2::date[], $3::bytea[])
    on conflict (solar_system_id, day) do update set figures = excluded.figures"""
_DELETE = """delete from system_figures using unnest($1::bigint[], $2::date[]) as emptied (solar_system_id, day)
    where (system_figures.solar_system_id, system_figures.day) = (emptied.solar_system_id, emptied.day)"""
_STORED = """select solar_system_id, day, figures from system_figures
    join unnest($1::bigint[], $2::date[]) as wanted (solar_system_id, day) using (solar_system_id, day)"""
_decode = msgspec.msgpack.Decoder(list[int]).decode
_encode = msgspec.msgpack.Encoder().encode

# The figures of everybody, joined, by id or code.
Sums = dict[int, int]


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
    """Return the row of a system and day; empty where nobody did anything. Raises OverflowError like `part`."""
    same: dict[int, tuple[list[int], ...]] = {}
    for code, joined in sums.items():
        if joined:
            ids = same.get(joined)
            if ids is None:
                same[joined] = ids = ([], [], [], [])
            ids[_PLACE_OF_KIND[code & KIND_MASK]].append(code >> KIND_BITS)
    if not same:
        return b""
    numbers = [_VERSION]
    for joined, of_kinds in same.items():
        numbers += part(joined)
        numbers += map(len, of_kinds)
        for ids_of_kind in of_kinds:
            numbers += ids_of_kind
    return _encode(numbers)


def groups_in(row: bytes) -> Iterator[tuple[int, Sequence[Sequence[int]]]]:
    """Yield figures, joined, with the ids that have them, by place in SYSTEM_KINDS."""
    numbers = _decode(row)
    if numbers[0] != _VERSION:
        raise ValueError(f"figures of version {numbers[0]} are not known to this release")
    first, end = 1, len(numbers)
    while first < end:
        won, lost, solo, points, destroyed, isk_lost, *sizes = numbers[first : first + _IDS]
        joined = won | lost << 64 | solo << 128 | points << 192 | destroyed << 256 | isk_lost << 320
        first += _IDS
        ids = []
        for size in sizes:
            ids.append(numbers[first : first + size])
            first += size
        yield joined, ids


def add_to(sums: Mapping[EntityKind, Sums], rows: Iterable[bytes]) -> None:
    """Add the figures of rows to sums by id; kinds that these do not have are left out."""
    wanted = [(SYSTEM_KINDS.index(kind), of_kind) for kind, of_kind in sums.items()]
    for row in rows:
        for joined, ids_by_kind in groups_in(row):
            for place, of_kind in wanted:
                for id_ in ids_by_kind[place]:
                    of_kind[id_] = of_kind.get(id_, 0) + joined


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
    for joined, ids_by_kind in groups_in(row):
        for kind, ids in zip(_KINDS, ids_by_kind, strict=True):
            for id_ in ids:
                code = id_ << KIND_BITS | kind
                sums[code] = sums.get(code, 0) + joined
    return sums
