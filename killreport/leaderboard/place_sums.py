"""What everybody did in solar systems over days: the packed rows of these days, added up."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from datetime import date

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.stored.system_figures import (
    JOINED_BITS,
    JOINED_MASK,
    SYSTEM_COUNTS,
    Sums,
    add_to,
    split,
)
from killreport.leaderboard.model import Figures, Metric, Ranked

# Read at a time, so that memory is bounded, whatever a region has of them.
_ROWS = 1000
# More bytes than these are added up in a thread, so that nobody else waits for it.
_IN_PASSING = 2**16
_READ = "select figures from system_figures where solar_system_id = any($1::bigint[])"

Days = tuple[date, date]
"""The first and the last, both included."""


async def sum_systems(
    connection: Connection, solar_system_ids: Sequence[int], kinds: Collection[EntityKind], days: Days | None
) -> Mapping[EntityKind, Sums]:
    """Return by kind the figures of everybody, joined and by id. days: None for all."""
    sums: dict[EntityKind, Sums] = {kind: {} for kind in kinds}
    async with connection.transaction():
        async for rows in read_rows(connection, solar_system_ids, days):
            await add_rows(sums, rows)
    return sums


async def read_rows(
    connection: Connection, solar_system_ids: Sequence[int], days: Days | None
) -> AsyncIterator[Sequence[bytes]]:
    """Yield the packed rows of systems, some at a time. connection: inside a transaction."""
    statement = _READ if days is None else f"{_READ} and day between $2 and $3"
    cursor = await connection.cursor(statement, solar_system_ids, *(days or ()))
    while rows := await cursor.fetch(_ROWS):
        yield [row[0] for row in rows]


async def add_rows(sums: Mapping[EntityKind, Sums], rows: Sequence[bytes]) -> None:
    """Add packed rows to the figures of the kinds that are there."""
    if sum(map(len, rows)) > _IN_PASSING:
        await asyncio.to_thread(add_to, sums, rows)
    else:
        add_to(sums, rows)


def head_of(sums: Sums, metric: Metric, size: int) -> list[Ranked]:
    """Return the first places by a figure; those with none of it have no place."""
    shift = JOINED_BITS * SYSTEM_COUNTS.index(metric.column)
    figures = ((-(joined >> shift & JOINED_MASK), id_) for id_, joined in sums.items())
    first = heapq.nsmallest(size, (one for one in figures if one[0]))
    return [Ranked(place, id_, Figures(*split(sums[id_]))) for place, (_, id_) in enumerate(first, 1)]
