"""Prove that the rollups equal the facts, and rebuild them where they do not.

The recount is SQL over the stored rows and shares no code with the writer that it checks. It counts what the rows say,
and asks no static data about them: the groups of the killers' hulls are those that were written down with the killmail.
What is to be derived again because the static data changed is no difference
(`killreport.killmail.writing.rederive_due`).
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.db.database import Connection
from killreport.killmail.postings.changes import hold_all_days
from killreport.killmail.stored.rollup import COUNTS, DAILY_TOTAL, TOTAL_STAT, Table
from killreport.killmail.stored.system_figures import SYSTEM_COUNTS
from killreport.killmail.writing.recount_postings import rebuild_postings, recount_postings

# A whole life is the sum of its days, which are recounted from the facts.
_LIVES = f"""
    select entity_kind, entity_id, {", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)}
    from daily_part group by 1, 2
"""  # noqa: S608 - names of our own
# `offset 0`: else each column of a packed attacker is unpacked anew wherever it is named.
_IN_SYSTEMS = """
    with side as (
        select distinct kind, entity_id, killmail_id
        from (select * from attacker offset 0) attacker cross join lateral (values
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
_SYSTEM_SUMS = ", ".join(f"sum({name})::bigint as {name}" for name in SYSTEM_COUNTS)
_ACTIVITY = """
    with side as (
        select distinct kind, entity_id, killmail_id
        from (select * from attacker offset 0) attacker cross join lateral (values
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
    """What is compared: the rows that are stored and those that are recounted, alike in their columns.

    key: how many columns are the key. rebuild: makes the rows of the table anew.
    """

    table: str
    key: int
    stored: str
    recounted: str
    rebuild: str


def _of_table(table: Table, recounted: str) -> _Check:
    counts = ", ".join(f"{name}::bigint as {name}" for name in table.counts)
    columns = ", ".join((*table.key, *table.counts))
    return _Check(
        table.name,
        len(table.key),
        f"select {', '.join(table.key)}, {counts} from {table.name}",  # noqa: S608 - our own names, here and below
        recounted,
        f"delete from {table.name}; insert into {table.name} ({columns}) select {columns} from ({recounted}) recounted",  # noqa: S608
    )


# What is packed is unpacked and packed by functions of the database, which the writer does not use.
_CHECKS = (
    _of_table(DAILY_TOTAL, _TOTALS),
    _of_table(TOTAL_STAT, _LIVES),
    _Check(
        "system_figures",
        4,
        f"""select entity_kind, solar_system_id, day, entity_id, {_SYSTEM_SUMS}
            from system_figures cross join lateral unpack_system_figures(figures) group by 1, 2, 3, 4""",  # noqa: S608
        _IN_SYSTEMS,
        f"""delete from system_figures;
            insert into system_figures (solar_system_id, day, figures)
            select solar_system_id, day,
                   pack_system_figures(array_agg(entity_kind), array_agg(entity_id), array_agg(kills),
                       array_agg(losses), array_agg(solo_kills), array_agg(points_won),
                       array_agg(isk_destroyed_cents), array_agg(isk_lost_cents))
            from ({_IN_SYSTEMS}) recounted group by solar_system_id, day""",  # noqa: S608
    ),
    _Check(
        "total_stat",
        3,
        """select entity_kind, entity_id, slot, hours.kills, hours.losses
           from total_stat cross join lateral unpack_activity(activity) hours""",
        _ACTIVITY,
        f"""update total_stat set activity = recounted.activity
            from (select entity_kind, entity_id, string_agg(pack_activity(slot, kills, losses), '') as activity
                  from ({_ACTIVITY}) slots group by entity_kind, entity_id) recounted
            where total_stat.entity_kind = recounted.entity_kind and total_stat.entity_id = recounted.entity_id""",  # noqa: S608
    ),
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
        sides: dict[tuple[object, ...], dict[str, tuple[object, ...]]] = {}
        for side, *values in map(tuple, rows):
            sides.setdefault(tuple(values[: check.key]), {})[side] = tuple(values[check.key :])
        found += [Difference(check.table, key, at.get("stored"), at.get("recounted")) for key, at in sides.items()]
    return found[:limit]


async def rebuild_rollups(connection: Connection) -> None:
    """Replace the rollups by a recount, in one transaction that keeps writers of killmails out until it commits."""
    async with connection.transaction():
        # A lock of the tables is not enough: what is packed is read first, and written when it was changed.
        await hold_all_days(connection)
        await rebuild_postings(connection)
        # In their order: the hours of a life are put into the row that the counts of the life have made.
        for check in _CHECKS:
            await connection.execute(check.rebuild)
