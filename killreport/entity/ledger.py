"""The ledger: which entities were seen and are to be asked for, from the sight to the stored answer.

A row is written in the transaction that saw the entity, marked when its message is safe in a queue, and gone in the
transaction that stores the answer. One that was queued too long ago is due again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from killreport.config import Settings
from killreport.db.database import Connection
from killreport.db.recent import is_recent
from killreport.entity.kind import EntityKind
from killreport.entity.store import TABLES

_DUE = f"""
select entity_kind, entity_id from refresh_ledger
 where queued_at is null or not {is_recent("queued_at", "$2")}
 order by queued_at nulls first, seen_at desc
 limit $1
   for update skip locked
"""  # noqa: S608
_QUEUED = """
update refresh_ledger set queued_at = now(), tries = tries + 1
  from unnest($1::smallint[], $2::bigint[]) as sent (kind, id)
 where entity_kind = sent.kind and entity_id = sent.id
"""
# One that is gone is asked for again when its pause is over, and at once when it is on a killmail that is younger than
# ESI's last answer: then it lives. One from the future says nothing.
_NOTE = """
insert into refresh_ledger (entity_kind, entity_id)
select $1, seen.id from unnest($2::bigint[], $4::timestamptz[]) as seen (id, at)
 where not exists (
    select from {table} known where known.{table}_id = seen.id
       and case when known.gone_at is null
                then known.refreshed_at between now() - $3::interval and now() + interval '1 minute'
                else known.ask_again_at > now()
                     and not coalesce(seen.at between known.refreshed_at and now() + interval '1 minute', false) end
 )
 order by seen.id
on conflict do nothing
returning entity_id
"""
_NOTE_GONE = """
insert into refresh_ledger (entity_kind, entity_id)
select $1, {table}_id from {table}
 where gone_at is not null and (ask_again_at is null or ask_again_at <= now())
   and not exists (select from refresh_ledger where entity_kind = $1 and entity_id = {table}_id)
 order by ask_again_at nulls first limit $2
on conflict do nothing
returning entity_id
"""
_NOTE_TYPES = """
insert into refresh_ledger (entity_kind, entity_id)
select $1, id from unnest($2::bigint[]) as seen (id)
 where not exists (select from eve_type known where known.type_id = seen.id)
 order by id
on conflict do nothing
"""


@dataclass(frozen=True, slots=True)
class StaleLimits:
    """How old an answer may be before the next sight asks again."""

    character: timedelta = timedelta(days=7)
    corporation: timedelta = timedelta(days=3)
    alliance: timedelta = timedelta(days=7)

    def of(self, kind: EntityKind) -> timedelta:
        """Return the limit of this kind."""
        return {EntityKind.CHARACTER: self.character, EntityKind.CORPORATION: self.corporation}.get(kind, self.alliance)


def stale_limits(settings: Settings) -> StaleLimits:
    """Return the limits that are set."""
    return StaleLimits(
        timedelta(days=settings.character_stale_days),
        timedelta(days=settings.corporation_stale_days),
        timedelta(days=settings.alliance_stale_days),
    )


@dataclass(frozen=True, slots=True)
class LedgerCount:
    """How many entities of a kind wait: all, and those already queued. oldest: the longest wait's begin."""

    kind: EntityKind
    waiting: int
    queued: int
    oldest: datetime


async def find_due(connection: Connection, *, limit: int, retry_after: timedelta) -> list[tuple[EntityKind, int]]:
    """Return what is to be queued, the newest sight first, locked until the transaction ends.

    Rows that somebody else has locked are left to them.
    """
    rows = await connection.fetch(_DUE, limit, retry_after)
    return [(EntityKind(row[0]), row[1]) for row in rows]


async def mark_queued(connection: Connection, entities: Sequence[tuple[EntityKind, int]]) -> None:
    """Note that messages for these are safe in their queues."""
    kinds, ids = [int(kind) for kind, _ in entities], [entity_id for _, entity_id in entities]
    await connection.execute(_QUEUED, kinds, ids)


async def note_seen(
    connection: Connection,
    kind: EntityKind,
    entity_ids: Sequence[int],
    stale_after: timedelta,
    *,
    seen_at: Mapping[int, datetime] | None = None,
) -> list[int]:
    """Note players' entities that are unknown, or not refreshed for so long; return those that are new on the ledger.

    seen_at: when each was last seen alive. Sorted, so that writers side by side never wait for each other in a circle.
    """
    ids = sorted(set(entity_ids))
    moments = [None if seen_at is None else seen_at.get(entity_id) for entity_id in ids]
    rows = await connection.fetch(_NOTE.format(table=TABLES[kind]), int(kind), ids, stale_after, moments)
    return [row[0] for row in rows]


async def note_gone(connection: Connection, limit: int) -> int:
    """Note those that are gone and whose pause is over, up to the limit in all; return how many are new."""
    noted = 0
    for kind, table in TABLES.items():
        if noted < limit:
            noted += len(await connection.fetch(_NOTE_GONE.format(table=table), int(kind), limit - noted))
    return noted


async def note_types(connection: Connection, type_ids: Sequence[int]) -> None:
    """Note types, given ascending, that the static data does not have."""
    await connection.execute(_NOTE_TYPES, int(EntityKind.SHIP_TYPE), list(type_ids))


async def count_waiting(connection: Connection) -> list[LedgerCount]:
    """Return how the ledger stands, by kind; kinds without rows are left out."""
    rows = await connection.fetch(
        """select entity_kind, count(*) as waiting, count(queued_at) as queued, min(seen_at) as oldest
             from refresh_ledger group by 1 order by 1"""
    )
    return [LedgerCount(EntityKind(row[0]), *row[1:]) for row in rows]
