"""Reads of the table `posting`. Every read walks its primary key: a code, and of it some days."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import Literal

from pyroaring import BitMap64

from killreport.db.database import Connection
from killreport.killmail.postings.packing import unpack_ids
from killreport.killmail.postings.sets import Key

EPOCH = date(1, 1, 1)  # days are numbered from here, so that no number is below zero
MIN_DAY, MAX_DAY = EPOCH, date(9999, 12, 31)

# An array a key, so that the server sends few rows: a busy alliance has a posting a day.
_DAYS = """
    select asked.code, asked.side, (select array_agg(posting.day - date '0001-01-01') from posting
        where posting.code = asked.code and posting.side = asked.side and posting.day between $3 and $4)
    from unnest($1::bigint[], $2::smallint[]) as asked (code, side)
"""
# The first and the last day beside the days themselves, and a posting after the other (`offset 0`), so that the primary
# key leads past all other days.
_OF_DAYS = """
    select found.* from unnest($1::bigint[], $2::smallint[]) as asked (code, side) cross join lateral (
        select posting.code, posting.side, posting.day, killmail_ids from posting
        where posting.code = asked.code and posting.side = asked.side and posting.day between $4 and $5
            and posting.day = any($3::date[]) offset 0) found
"""
_NEAREST = """
    select found.* from unnest($1::bigint[], $2::smallint[]) as asked (code, side) cross join lateral (
        select posting.code, posting.side, posting.day, killmail_ids from posting
        where posting.code = asked.code and posting.side = asked.side and posting.day between $3 and $4
        order by posting.day {direction} limit $5) found
"""

_LARGEST = """
    select asked.code, asked.side, posting.day - date '0001-01-01', posting.{column}
    from unnest($1::bigint[], $2::smallint[]) as asked (code, side)
    join posting on posting.code = asked.code and posting.side = asked.side and posting.day between $3 and $4
"""
_COUNT = """
    select asked.code, asked.side, sum(posting.killmails)::bigint
    from unnest($1::bigint[], $2::smallint[]) as asked (code, side)
    join posting on posting.code = asked.code and posting.side = asked.side and posting.day between $3 and $4
    group by 1, 2
"""


class DaySets:
    """The postings of some days, by day and key; what is not there has no killmails."""

    def __init__(self) -> None:
        self._sets: dict[tuple[date, Key], BitMap64] = {}

    def add(self, day: date, key: Key, packed: bytes) -> None:
        """Keep a posting with its packed ids."""
        self._sets[day, key] = unpack_ids(packed)

    def of(self, day: date, key: Key) -> BitMap64:
        """Return the ids of a posting."""
        return self._sets.get((day, key), _EMPTY)


_EMPTY = BitMap64()


def number_of(day: date) -> int:
    """Return the number of a day."""
    return (day - EPOCH).days


def day_of(number: int) -> date:
    """Return the day with this number."""
    return EPOCH + timedelta(number)


async def list_days(
    connection: Connection, keys: Sequence[Key], first: date = MIN_DAY, last: date = MAX_DAY
) -> dict[Key, BitMap64]:
    """Return the numbers of the days that each posting has, `first` and `last` included."""
    rows = await connection.fetch(_DAYS, *_columns(keys), first, last)
    return {(code, side): BitMap64(days or ()) for code, side, days in rows}


async def read_days(connection: Connection, keys: Sequence[Key], days: Collection[date], found: DaySets) -> None:
    """Add these postings of these days to `found`."""
    if not days:
        return
    for code, side, day, packed in await connection.fetch(_OF_DAYS, *_columns(keys), list(days), min(days), max(days)):
        found.add(day, (code, side), packed)


async def read_nearest(
    connection: Connection, keys: Sequence[Key], first: date, last: date, limit: int, *, is_newest_first: bool
) -> dict[Key, dict[date, bytes]]:
    """Return up to `limit` postings of each key within the days, the newest or the oldest, by day with packed ids."""
    found: dict[Key, dict[date, bytes]] = {key: {} for key in keys}
    statement = _NEAREST.format(direction="desc" if is_newest_first else "asc")
    for code, side, day, packed in await connection.fetch(statement, *_columns(keys), first, last, limit):
        found[code, side][day] = packed
    return found


async def list_largest(
    connection: Connection, keys: Sequence[Key], first: date, last: date, column: Literal["max_isk_cents", "max_points"]
) -> dict[Key, dict[int, int]]:
    """Return of each key, by the number of the day, what no killmail of the posting is above."""
    found: dict[Key, dict[int, int]] = {key: {} for key in keys}
    statement = _LARGEST.format(column=column)
    for code, side, day, largest in await connection.fetch(statement, *_columns(keys), first, last):
        found[code, side][day] = largest
    return found


async def count_killmails_of(
    connection: Connection, keys: Sequence[Key], first: date = MIN_DAY, last: date = MAX_DAY
) -> dict[Key, int]:
    """Return how many killmails each posting has within the days; 0 for none."""
    rows = await connection.fetch(_COUNT, *_columns(keys), first, last)
    counts = {(code, side): count for code, side, count in rows}
    return {key: counts.get(key, 0) for key in keys}


async def list_sums(connection: Connection, key: Key, first: date, last: date) -> list[tuple[date, int, int]]:
    """Return of a posting every day with its number of killmails and their value in hundredths of an ISK."""
    rows: list[tuple[date, int, int]] = await connection.fetch(
        """select day, killmails, isk_cents from posting where code = $1 and side = $2 and day between $3 and $4""",
        *key,
        first,
        last,
    )
    return rows


def _columns(keys: Sequence[Key]) -> tuple[list[int], list[int]]:
    return [code for code, _ in keys], [side for _, side in keys]
