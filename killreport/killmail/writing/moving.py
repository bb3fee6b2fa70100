"""Moves killmails from the tables of older releases, up to migration 29, to those of this one, while both are there.

Migration 30 made the new tables in the schema `next`, and 31 puts them in the place of the old ones. In between an
older release goes on storing into the old ones, which are named as `public.*` here; by their plain names the new ones
are meant. What is stored is kept as it is, and nothing is worked out again.

A slice of killmails is moved in one transaction with all that they are counted in, so that a move which was cut off
anywhere goes on with what is not there yet. Whatever changes in the old tables meanwhile is told by an event, and moved
again.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime, time, timedelta
from functools import partial

from killreport.db.database import Connection
from killreport.db.migrate import Preparation
from killreport.killmail.postings.changes import hold_days
from killreport.killmail.stored.partitions import Partitions
from killreport.killmail.stored.queries import list_events
from killreport.killmail.stored.rollup import Rollup
from killreport.killmail.writing.counted import list_counted
from killreport.killmail.writing.old_tables import MOVED_COLUMNS, list_old
from killreport.killmail.writing.revalue import REVALUE_LOCK

SWITCH = "switch"  # the migration that needs all to be moved
SLICE = 2_000
# One move at a time over the whole database; spells "move" in ASCII.
MOVE_LOCK = 0x6D6F7665

OnProgress = Callable[[int], None]
"""Called with how many killmails were moved by a transaction that is committed."""


def move_before_switch(on_progress: OnProgress) -> dict[str, Preparation]:
    """Return what `killreport.db.migrate.upgrade` has to do before the migration that drops the old tables."""
    return {SWITCH: Preparation(partial(move_killmails, on_progress=on_progress), move_the_last)}


async def move_killmails(connection: Connection, on_progress: OnProgress) -> None:
    """Move what is left, the newest days first, and what changed meanwhile. Cut off anywhere, the next call goes on.

    Waits for another one that is moving. An older release may store, change and remove killmails at the same time.
    Raises Refused for a killmail that cannot be stored as it is.
    """
    await connection.execute("select pg_advisory_lock($1)", MOVE_LOCK)
    try:
        partitions = Partitions()
        day: date | None = None
        while (day := await _day_before(connection, day)) is not None:
            left = await _left_of(connection, day)
            for first in range(0, len(left), SLICE):
                ids = left[first : first + SLICE]
                async with _to_next(connection):
                    await partitions.make(connection, ids)
                async with _to_next(connection):
                    await _put(connection, ids, Rollup())
                on_progress(len(ids))
        while await _follow(connection):
            pass
    finally:
        # Closed under the statement, it has no lock any more, and what closed it is the news.
        if not connection.is_closed():
            await connection.execute("select pg_advisory_unlock($1)", MOVE_LOCK)
    await connection.execute("analyze next.killmail, next.posting, next.system_figures, next.total_stat")


async def move_the_last(connection: Connection) -> None:
    """Move what changed since, in the caller's transaction, and keep writers out until it ends; readers are not."""
    # In the order of an older release's writers: who corrects values or removes holds this, and everybody writes here.
    await connection.execute("select pg_advisory_xact_lock($1)", REVALUE_LOCK)
    await connection.execute("lock table public.killmail in share row exclusive mode")
    await connection.execute("lock table public.event in share row exclusive mode")
    while await _follow(connection):
        pass
    await connection.execute("set local search_path to default")


@asynccontextmanager
async def _to_next(connection: Connection) -> AsyncIterator[None]:
    """Have plain names mean the new tables, in a transaction that sees one moment, or in the caller's."""
    isolation = None if connection.is_in_transaction() else "repeatable_read"
    async with connection.transaction(isolation=isolation):
        await connection.execute("set local search_path = next, public")
        yield


async def _day_before(connection: Connection, day: date | None) -> date | None:
    """Return the next older day of which there are killmails, or the newest."""
    newest: datetime | None = await connection.fetchval(
        "select max(killmail_time) from public.killmail where killmail_time < coalesce($1, 'infinity'::timestamptz)",
        None if day is None else _start_of(day),
    )
    return None if newest is None else newest.date()


def _start_of(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


async def _left_of(connection: Connection, day: date) -> list[int]:
    rows = await connection.fetch(
        """select killmail_id from public.killmail old
           where killmail_time >= $1 and killmail_time < $2
             and not exists (select from next.killmail new where new.killmail_id = old.killmail_id)
           order by killmail_id""",
        _start_of(day),
        _start_of(day) + timedelta(days=1),
    )
    return [row[0] for row in rows]


async def _put(connection: Connection, ids: Collection[int], rollup: Rollup) -> None:
    """Store those of the killmails that the old tables have, and add them to what the rollup changes already."""
    old = await list_old(connection, ids)
    await hold_days(connection, {one.killmail_time.date() for one in old})
    for one in old:
        one.add(rollup)
    if old:
        await connection.copy_records_to_table("killmail", records=[one.row for one in old], columns=MOVED_COLUMNS)
    await rollup.save_days(connection)
    await rollup.save_totals(connection)


async def _follow(connection: Connection) -> bool:
    """Move again what the next events tell of, and return whether there were any."""
    async with _to_next(connection):
        after = await connection.fetchval("select event_id from move")
        told: set[int] = set()
        changed: set[int] = set()
        for event in await list_events(connection, after):
            told.update(event.killmail_ids)
            if event.kind == "changed":
                changed.update(event.killmail_ids)
            after = event.event_id
            if len(told) >= SLICE:
                break
        else:
            if not told:
                return False
        there = {row[0] for row in await connection.fetch(_THERE, list(told))}
        rollup = Rollup()
        # One that is new is as it was stored: if it was changed, a later event tells of it.
        for counted in await list_counted(connection, there & changed):
            counted.take_away(rollup)
        await connection.execute("delete from killmail where killmail_id = any($1)", list(there & changed))
        ids = sorted(told - there | changed)
        await Partitions().make(connection, ids)
        await _put(connection, ids, rollup)
        await connection.execute("update move set event_id = $1", after)
    return True


_THERE = "select killmail_id from killmail where killmail_id = any($1)"
