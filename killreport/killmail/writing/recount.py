"""Prove that the rollups equal the facts, and rebuild them where they do not.

The recount is SQL over the stored rows and shares no code with the writer that it checks. It counts what the rows say,
and asks no static data about them: the groups of the killers' hulls are those that were written down with the killmail.
What is to be derived again because the static data changed is no difference
(`killreport.killmail.writing.rederive_due`).
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.db.database import Connection
from killreport.killmail.stored.rollup import (
    ACTIVITY_STAT,
    COUNTS,
    DAILY_TOTAL,
    SYSTEM_STAT,
    TOTAL_STAT,
    Table,
)
from killreport.killmail.writing.recount_postings import rebuild_postings, recount_postings

# A whole life is the sum of its days, which are recounted from the facts.
_LIVES = f"""
    select entity_kind, entity_id, {", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)}
    from daily_part group by 1, 2
"""  # noqa: S608 - names of our own
_IN_SYSTEMS = """
    with side as (
        select distinct kind, entity_id, killmail_id
        from attacker cross join lateral (values
            (1, character_id), (2, corporation_id), (3, alliance_id),
            (5, ship_type_id::bigint)) as side(kind, entity_id)
        where entity_id is not null
    ), part as (
        select kind, entity_id, killmail_id, 1 as kills, 0 as losses from side
        union all
        select kind, entity_id, killmail_id, 0, 1
        from killmail cross join lateral (values
            (1, victim_character_id), (2, victim_corporation_id), (3, victim_alliance_id),
            (5, ship_type_id::bigint)) as side(kind, entity_id)
        where entity_id is not null
    )
    select kind::smallint as entity_kind, solar_system_id, (killmail_time at time zone 'UTC')::date as day, entity_id,
           sum(kills)::bigint as kills, sum(losses)::bigint as losses, sum(kills * is_solo::int)::bigint as solo_kills,
           sum(kills * points)::bigint as points_won, sum(kills * total_value_cents)::bigint as isk_destroyed_cents,
           sum(losses * total_value_cents)::bigint as isk_lost_cents
    from part join killmail using (killmail_id) group by 1, 2, 3, 4
"""
_ACTIVITY = """
    with side as (
        select distinct kind, entity_id, killmail_id
        from attacker cross join lateral (values
            (1, character_id), (2, corporation_id), (3, alliance_id)) as side(kind, entity_id)
        where entity_id is not null
    ), part as (
        select kind, entity_id, killmail_id, 1 as kills, 0 as losses from side
        union all
        select kind, entity_id, killmail_id, 1, 0
        from killmail cross join lateral (values
            (7, solar_system_id::bigint), (9, region_id::bigint)) as place(kind, entity_id)
        where entity_id is not null
        union all
        select kind, entity_id, killmail_id, 0, 1
        from killmail cross join lateral (values
            (1, victim_character_id), (2, victim_corporation_id), (3, victim_alliance_id)) as side(kind, entity_id)
        where entity_id is not null
    )
    select kind::smallint as entity_kind, entity_id,
           ((extract(isodow from killmail_time at time zone 'UTC') - 1) * 24
            + extract(hour from killmail_time at time zone 'UTC'))::smallint as slot,
           sum(kills)::bigint as kills, sum(losses)::bigint as losses
    from part join killmail using (killmail_id) group by 1, 2, 3
"""
_TOTALS = """
    select (killmail_time at time zone 'UTC')::date as day, count(*)::int as killmails,
           sum(total_value_cents)::bigint as total_value_cents
    from killmail group by 1
"""


@dataclass(frozen=True)
class _Check:
    """A rollup with the query that recounts it, in the order of its columns."""

    table: Table
    recounted: str

    @property
    def stored(self) -> str:
        counts = ", ".join(f"{name}::bigint as {name}" for name in self.table.counts)
        return f"select {', '.join(self.table.key)}, {counts} from {self.table.name}"  # noqa: S608 - our own names


_CHECKS = (
    _Check(DAILY_TOTAL, _TOTALS),
    _Check(TOTAL_STAT, _LIVES),
    _Check(SYSTEM_STAT, _IN_SYSTEMS),
    _Check(ACTIVITY_STAT, _ACTIVITY),
)


@dataclass(frozen=True)
class Difference:
    """A row of a rollup that is stored otherwise than the facts say; `stored` or `recounted` None: no such row."""

    table: str
    key: tuple[object, ...]
    stored: tuple[object, ...] | None
    recounted: tuple[object, ...] | None


async def recount_differences(connection: Connection, limit: int = 100) -> list[Difference]:
    """Return up to `limit` rows of the rollups that do not equal a recount of the facts; empty when all do.

    Reads all of the facts of one moment: seconds for a hundred thousand killmails. Writers may go on meanwhile.
    """
    # A caller who is in a transaction already has chosen what it sees.
    if connection.is_in_transaction():
        return await _differences(connection, limit)
    async with connection.transaction(isolation="repeatable_read", readonly=True):
        return await _differences(connection, limit)


async def _differences(connection: Connection, limit: int) -> list[Difference]:
    found: list[Difference] = []
    async for posting in recount_postings(connection):
        if posting.is_other:
            stored, counted = (None if one is None else one.told for one in (posting.stored, posting.counted))
            found.append(Difference("posting", posting.row, stored, counted))
            if len(found) >= limit:
                return found
    for check in _CHECKS:
        rows = await connection.fetch(
            f"""with stored as ({check.stored}), recounted as ({check.recounted})
                (select 'stored' as side, x.* from (table stored except table recounted) x limit $1)
                union all
                (select 'recounted', x.* from (table recounted except table stored) x limit $1)""",  # noqa: S608
            limit,
        )
        key_size = len(check.table.key)
        sides: dict[tuple[object, ...], dict[str, tuple[object, ...]]] = {}
        for side, *values in map(tuple, rows):
            sides.setdefault(tuple(values[:key_size]), {})[side] = tuple(values[key_size:])
        found += [Difference(check.table.name, key, at.get("stored"), at.get("recounted")) for key, at in sides.items()]
    return found[:limit]


async def rebuild_rollups(connection: Connection) -> None:
    """Replace the rollups by a recount, in one transaction that keeps writers of killmails out until it commits."""
    async with connection.transaction():
        # The gate as well: a writer that waits for the rollups has passed it, and its rows are not to be seen here.
        names = ", ".join(check.table.name for check in _CHECKS)
        await connection.execute(f"lock table killmail_gate, posting, {names} in share row exclusive mode")
        await rebuild_postings(connection)
        for check in _CHECKS:
            columns = ", ".join((*check.table.key, *check.table.counts))
            await connection.execute(f"delete from {check.table.name}")  # noqa: S608
            await connection.execute(
                f"insert into {check.table.name} ({columns}) select {columns} from ({check.recounted}) r"  # noqa: S608
            )
