"""What a batch changes in the postings, summed in memory and written in the caller's transaction.

A posting is read, changed and written again, so whoever writes holds the locks of its days from the first read to the
commit.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from pyroaring import BitMap64

from killreport.db.database import Connection
from killreport.killmail.postings.packing import MAX_SINGLE, pack_few, pack_ids, unpack_ids
from killreport.killmail.postings.sets import Key
from killreport.killmail.postings.table import number_of

# The class of the advisory locks of days, and the lock of all of them; these spell "dayl" and "days" in ASCII.
DAY_LOCK = 0x6461796C
# Before the first day: whoever holds days shares it.
_ALL_DAYS = -1
_HOLD = f"""
    select pg_advisory_xact_lock_shared($1, {_ALL_DAYS})
    union all select pg_advisory_xact_lock($1, day) from unnest($2::int[]) as day
"""  # noqa: S608 - a number of our own
# A server has room for some thousand locks in all; who needs more days than this holds all.
MAX_DAYS = 500

SUMS = ("killmails", "isk_cents", "points", "solo", "final_blows", "npc", "npc_isk_cents")
KILLMAILS, ISK, POINTS, SOLO, FINAL_BLOWS, NPC, NPC_ISK = range(len(SUMS))
# Behind the sums of a posting: its largest value and points, and the ids that come, or, below zero, go.
_MAX_ISK, _MAX_POINTS, _IDS = range(len(SUMS), len(SUMS) + 3)
_COLUMNS = ("code", "side", "day", *SUMS, "max_isk_cents", "max_points", "killmail_ids")
_TYPES = {"code": "bigint", "side": "smallint", "day": "date", "killmail_ids": "bytea"}
_ARRAYS = ", ".join(f"${index}::{_TYPES.get(name, 'bigint')}[]" for index, name in enumerate(_COLUMNS, 1))
_READ = """
    select posting.code, posting.side, killmail_ids
    from unnest($1::bigint[], $2::smallint[]) as asked (code, side)
    join posting on posting.code = asked.code and posting.side = asked.side and posting.day = $3
"""
_ADDED = ", ".join(f"{name} = posting.{name} + changed.{name}" for name in SUMS)
_UPDATE = f"""
    update posting set {_ADDED}, killmail_ids = changed.killmail_ids,
        max_isk_cents = greatest(posting.max_isk_cents, changed.max_isk_cents),
        max_points = greatest(posting.max_points, changed.max_points)
    from unnest({_ARRAYS}) as changed ({", ".join(_COLUMNS)})
    where posting.code = changed.code and posting.day = changed.day and posting.side = changed.side
"""  # noqa: S608 - names of our own
_DELETE = """
    delete from posting using unnest($1::bigint[], $2::smallint[]) as emptied (code, side)
    where posting.code = emptied.code and posting.day = $3 and posting.side = emptied.side
"""


async def hold_days(connection: Connection, days: Iterable[date]) -> None:
    """Lock these days until the end of the transaction, the oldest first. Waits for whoever has one of them."""
    numbers = sorted({number_of(day) for day in days})
    if len(numbers) > MAX_DAYS:
        await hold_all_days(connection)
    else:
        await connection.execute(_HOLD, DAY_LOCK, numbers)


async def hold_all_days(connection: Connection) -> None:
    """Lock all days until the end of the transaction. Waits for everybody who has one."""
    await connection.execute("select pg_advisory_xact_lock($1, $2)", DAY_LOCK, _ALL_DAYS)


async def hold_days_of(connection: Connection, killmail_ids: Collection[int]) -> None:
    """Lock the days of these killmails, as far as they are stored; what is read of them after that stays as it is."""
    rows = await connection.fetch(
        "select distinct (killmail_time at time zone 'UTC')::date from killmail where killmail_id = any($1::bigint[])",
        list(killmail_ids),
    )
    await hold_days(connection, (row[0] for row in rows))


class PostingChanges:
    """The changes of a batch, by day and key. Nothing is written before `save`."""

    def __init__(self) -> None:
        self._days: dict[date, dict[Key, list[Any]]] = {}

    @property
    def days(self) -> Collection[date]:
        """Return the days that anything changes in."""
        return self._days.keys()

    def sums(self) -> Iterator[tuple[date, Key, Sequence[int]]]:
        """Yield every posting that changes with what is added to its sums, in the order of SUMS."""
        for day, postings in self._days.items():
            for key, change in postings.items():
                yield day, key, change

    def add(self, day: date, killmail_id: int, keys: Iterable[Key], counts: Sequence[int]) -> None:
        """Add a killmail to postings; one that is taken away counts below zero.

        counts: as SUMS names them, for the killmail.
        """
        postings = self._days.setdefault(day, {})
        times, isk, points, solo, final_blows, npc, npc_isk = counts
        mark = killmail_id if times > 0 else -killmail_id
        for key in keys:
            found = postings.get(key)
            if found is None:
                postings[key] = [times, isk, points, solo, final_blows, npc, npc_isk, isk, points, [mark]]
                continue
            found[0] += times
            found[1] += isk
            found[2] += points
            if solo:
                found[3] += solo
            if npc:
                found[5] += npc
                found[6] += npc_isk
            found[_MAX_ISK] = max(found[_MAX_ISK], isk)
            found[_MAX_POINTS] = max(found[_MAX_POINTS], points)
            found[_IDS].append(mark)

    def add_final_blows(self, day: date, keys: Iterable[Key], times: int) -> None:
        """Count a final blow for postings that the killmail was added to."""
        postings = self._days[day]
        for key in keys:
            postings[key][FINAL_BLOWS] += times

    async def save(self, connection: Connection) -> None:
        """Write the changes, in the caller's transaction, which holds the days (`hold_days`)."""
        for day, postings in sorted(self._days.items()):
            await _save_day(connection, day, postings)


async def _save_day(connection: Connection, day: date, postings: Mapping[Key, list[Any]]) -> None:
    keys = sorted(key for key, change in postings.items() if _is_change(change))
    if not keys:
        return
    stored = {
        (code, side): packed
        for code, side, packed in await connection.fetch(
            _READ, [code for code, _ in keys], [side for _, side in keys], day
        )
    }
    new: list[tuple[Any, ...]] = []
    changed: list[tuple[Any, ...]] = []
    emptied: list[Key] = []
    for key in keys:
        change, packed = postings[key], stored.get(key)
        ids = _merged(packed, change[_IDS])
        if ids is None:
            emptied.append(key)
            continue
        row = (*key, day, *change[: len(SUMS)], max(change[_MAX_ISK], 0), max(change[_MAX_POINTS], 0), ids)
        (new if packed is None else changed).append(row)
    if new:
        await connection.copy_records_to_table("posting", records=new, columns=_COLUMNS)
    if changed:
        await connection.execute(_UPDATE, *zip(*changed, strict=True))
    if emptied:
        await connection.execute(_DELETE, [code for code, _ in emptied], [side for _, side in emptied], day)


def _is_change(change: list[Any]) -> bool:
    """Tell whether anything is other than before: what was taken away and added again alike is not."""
    return any(change[:_MAX_ISK]) or bool(_net(change[_IDS]))


def _net(marks: Sequence[int]) -> tuple[list[int], list[int]] | None:
    """Return the ids that come and those that go, None where none does."""
    gone = {-mark for mark in marks if mark < 0}
    come = {mark for mark in marks if mark > 0}
    if not gone.symmetric_difference(come):
        return None
    return sorted(come - gone), sorted(gone - come)


def _merged(packed: bytes | None, marks: Sequence[int]) -> bytes | None:
    """Return the packed ids of a posting after the change; None where none is left."""
    net = _net(marks)
    if net is None:
        return packed
    come, gone = net
    if packed is None:
        return (pack_few(come) if len(come) <= MAX_SINGLE else pack_ids(BitMap64(come))) if come else None
    ids = unpack_ids(packed)
    ids.update(come)
    ids.difference_update(BitMap64(gone))
    return pack_ids(ids) if ids else None
