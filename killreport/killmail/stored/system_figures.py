"""Who did what in a solar system on a day: one packed row of everybody who is ranked by place.

Everybody on one side of a killmail has the same share in it, and in most systems little else happens on that day. So
the row has each set of figures once, and the ids of all who have it (`docs/decisions/0027-packed-statistics.md`). It is
read, changed and written again by whoever holds its day (`killreport.killmail.postings.changes`).

In memory the six figures of somebody are one number, `JOINED_BITS` apart: what is added to a thousand participants is
added by one addition each, and below zero as well.
"""

from __future__ import annotations

from collections import defaultdict
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
# The parts of a day. Of most days all is in one. In a fight a killmail comes every second, and thousands took part: what
# is longer than this is left alone, and the newest is kept beside it until that is more than a share of it.
_WHOLE, _NEWEST = 0, 1
LONG = 2**13
SHARE = 8
_ANY_LENGTH = 2**31 - 1
_SAVE = """insert into system_figures (solar_system_id, day, part, figures)
    select * from unnest($1::bigint[], $2::date[], $3::smallint[], $4::bytea[])
    on conflict (solar_system_id, day, part) do update set figures = excluded.figures"""
_DELETE = """delete from system_figures
    using unnest($1::bigint[], $2::date[], $3::smallint[]) as gone (solar_system_id, day, part)
    where system_figures.solar_system_id = gone.solar_system_id and system_figures.day = gone.day
      and system_figures.part = gone.part"""
_STORED = f"""select solar_system_id, day, part, length(figures),
           case when part = {_NEWEST} or length(figures) <= $3 then figures end
    from system_figures
    join unnest($1::bigint[], $2::date[]) as wanted (solar_system_id, day) using (solar_system_id, day)"""  # noqa: S608
_decode = msgspec.msgpack.Decoder(list[int]).decode
_encode = msgspec.msgpack.Encoder().encode

Sums = dict[int, int]
"""The figures of everybody, joined, by id."""
Key = tuple[int, date]
"""A solar system and a day."""
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


async def save_figures(
    connection: Connection, changes: Mapping[Key, Mapping[int, int]], *, takes_away: bool = False
) -> None:
    """Add changes, joined and by code, to the rows of these systems and days. The caller holds the days.

    takes_away: whether a change is below zero. Not idempotent. Rows that have nobody left are deleted. Raises
    OverflowError like `part`.
    """
    wanted = sorted(key for key, of_key in changes.items() if any(of_key.values()))
    grown = await _save(connection, changes, wanted, _ANY_LENGTH if takes_away else LONG)
    await _save(connection, changes, grown, _ANY_LENGTH)


async def _save(
    connection: Connection, changes: Mapping[Key, Mapping[int, int]], keys: Sequence[Key], longest: int
) -> list[Key]:
    """Save the changes of these keys; return those of which nothing is, since a longer row is to be read for them."""
    if not keys:
        return []
    stored: defaultdict[Key, dict[int, tuple[int, bytes | None]]] = defaultdict(dict)
    for system, day, number, length, row in await connection.fetch(_STORED, *zip(*keys, strict=True), longest):
        stored[system, day][number] = length, row
    written: list[tuple[int, date, int, bytes]] = []
    gone: list[tuple[int, date, int]] = []
    grown: list[Key] = []
    for key in keys:
        parts = stored[key]
        packed = pack(_add([row for _, row in parts.values() if row is not None], changes[key]))
        length, whole = parts.get(_WHOLE, (0, b""))
        if whole is None and len(packed) * SHARE > length:
            grown.append(key)
        elif whole is None:
            written.append((*key, _NEWEST, packed))
        else:
            gone += [(*key, number) for number in parts if number == _NEWEST or not packed]
            written += [(*key, _WHOLE, packed)] if packed else []
    if written:
        await connection.execute(_SAVE, *zip(*written, strict=True))
    if gone:
        await connection.execute(_DELETE, *zip(*gone, strict=True))
    return grown


def _add(rows: Collection[bytes], changes: Mapping[int, int]) -> Mapping[int, int]:
    if not rows:
        return changes
    sums = dict(changes)
    for row in rows:
        for place, people in people_in(row):
            kind = _KINDS[place]
            for id_, joined in people:
                code = id_ << KIND_BITS | kind
                sums[code] = sums.get(code, 0) + joined
    return sums
