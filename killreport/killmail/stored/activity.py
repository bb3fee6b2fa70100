"""When somebody is about: kills and losses by hour of the week over the whole life, in the row of that life.

The column is a log. What a batch adds is joined to its end by the statement that adds to the other figures, so nothing
is read for it, and writers side by side need no lock of their own. Most who are on killmails have a few, and the log of
these is as short as their sums would be. Where it grew long, the writer who has the row puts the sums in its place.

The layout is told where the functions are that read it in SQL (migration 32).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.killmail.postings.codes import KIND_MASK

ACTIVITY_KINDS = (
    *(EntityKind.CHARACTER, EntityKind.CORPORATION, EntityKind.ALLIANCE),
    *(EntityKind.SOLAR_SYSTEM, EntityKind.REGION),
)
SLOTS = 168
# What is counted: the kills of each slot, then the losses of each.
CELLS = 2 * SLOTS
_CELL_BITS = 9
_CELL_MASK = (1 << _CELL_BITS) - 1
# Plain numbers, asked for every code of every killmail.
_KINDS = frozenset(map(int, ACTIVITY_KINDS))
# In bytes. The sums of the busiest take three quarters of it, and a longer row would be moved out of its table.
LONGEST = 1600


def slot_of(at: datetime) -> int:
    """Return the hour of the week, from 0 for Monday 00:00. at: in UTC."""
    return at.weekday() * 24 + at.hour


@lru_cache(2**14)
def change(cell: int, count: int) -> bytes:
    """Return a change of one cell, from 0 to CELLS; empty for none."""
    if count == 0:
        return b""
    number = cell + CELLS * (2 * (count - 1) if count > 0 else -2 * count - 1)
    body = bytearray()
    while number > 127:
        body.append(number & 127 | 128)
        number >>= 7
    body.append(number)
    return bytes(body)


def changes_in(log: bytes) -> Iterator[tuple[int, int]]:
    """Yield each change of a log: the cell and by how much."""
    number = bits = 0
    for byte in log:
        number |= (byte & 127) << bits
        bits += 7
        if byte < 128:
            rank, cell = divmod(number, CELLS)
            yield cell, -(rank + 1) // 2 if rank % 2 else rank // 2 + 1
            number = bits = 0


def hours_in(log: bytes) -> tuple[Sequence[int], Sequence[int]]:
    """Return the kills and the losses of each slot."""
    sums = [0] * CELLS
    for cell, count in changes_in(log):
        sums[cell] += count
    return sums[:SLOTS], sums[SLOTS:]


def shortened(log: bytes) -> bytes:
    """Return a log of the same sums with each cell once."""
    sums = Counter[int]()
    for cell, count in changes_in(log):
        sums[cell] += count
    return b"".join(change(cell, count) for cell, count in sorted(sums.items()))


async def shorten(connection: Connection, rows: Iterable[Sequence[Any]]) -> None:
    """Replace the logs of rows of `total_stat`, each given as kind, id and log, that the caller has locked."""
    short = [(kind, entity_id, shortened(log)) for kind, entity_id, log in rows]
    if short:
        await connection.execute(
            """update total_stat set activity = short.activity
               from unnest($1::smallint[], $2::bigint[], $3::bytea[]) as short (entity_kind, entity_id, activity)
               where total_stat.entity_kind = short.entity_kind and total_stat.entity_id = short.entity_id""",
            *zip(*short, strict=True),
        )


class ActivityChanges:
    """Sums the activity of a batch in memory."""

    def __init__(self) -> None:
        self._changes: dict[int, int] = {}

    def add(self, codes: Iterable[int], slot: int, times: int, *, is_loss: bool = False) -> None:
        """Count a killmail `times` times for those of the codes that are of ACTIVITY_KINDS."""
        cell = slot + SLOTS * is_loss
        changes = self._changes
        for code in codes:
            if code & KIND_MASK in _KINDS:
                key = code << _CELL_BITS | cell
                changes[key] = changes.get(key, 0) + times

    def logs(self) -> Mapping[int, bytes]:
        """Return what is to be added to the logs, by code; of what changed nothing it is empty."""
        logs: dict[int, bytes] = {}
        for key, count in self._changes.items():
            code = key >> _CELL_BITS
            logs[code] = logs.get(code, b"") + change(key & _CELL_MASK, count)
        return logs
