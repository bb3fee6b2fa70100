"""Writes who did what in solar systems: one row a system and day, read, changed and written again.

Whoever does holds the day (`killreport.killmail.postings.changes`).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import date

from killreport.db.database import Connection
from killreport.killmail.postings.codes import KIND_BITS
from killreport.killmail.stored.system_figures import pack, people_in

# The parts of a day. Most days are one. In a fight a killmail comes every second, and thousands are there: what is
# longer than this is left alone, and the newest is kept beside it until that is more than a share of it.
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

SystemDay = tuple[int, date]
"""A solar system and a day."""


async def save_figures(
    connection: Connection, changes: Mapping[SystemDay, Mapping[int, int]], *, takes_away: bool = False
) -> None:
    """Add changes, joined and by code, to the rows of these systems and days. The caller holds the days.

    takes_away: whether a change is below zero. Not idempotent. Rows that have nobody left are deleted. Raises
    OverflowError like `split`.
    """
    wanted = sorted(key for key, of_key in changes.items() if any(of_key.values()))
    grown = await _save(connection, changes, wanted, _ANY_LENGTH if takes_away else LONG)
    await _save(connection, changes, grown, _ANY_LENGTH)


async def _save(
    connection: Connection, changes: Mapping[SystemDay, Mapping[int, int]], keys: Sequence[SystemDay], longest: int
) -> list[SystemDay]:
    """Save the changes of these keys; return those of which nothing is, since a longer row is to be read for them."""
    if not keys:
        return []
    stored: defaultdict[SystemDay, dict[int, tuple[int, bytes | None]]] = defaultdict(dict)
    for system, day, number, length, row in await connection.fetch(_STORED, *zip(*keys, strict=True), longest):
        stored[system, day][number] = length, row
    written: list[tuple[int, date, int, bytes]] = []
    gone: list[tuple[int, date, int]] = []
    grown: list[SystemDay] = []
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
        for kind, people in people_in(row):
            for id_, joined in people:
                code = id_ << KIND_BITS | kind
                sums[code] = sums.get(code, 0) + joined
    return sums
