"""Prove that the rollups equal the facts, and rebuild them where they do not.

The recount is SQL over the stored rows and shares no code with the writer that it checks.
"""

from __future__ import annotations

from dataclasses import dataclass

from killreport.db.database import Connection
from killreport.killmail.rollup import COUNTS

_RECOUNTED = """
    with mail as (
        select killmail_id, (killmail_time at time zone 'UTC')::date as day, points, total_value_cents as value,
               is_solo, is_npc, victim_character_id, victim_corporation_id, victim_alliance_id, victim_faction_id,
               ship_type_id, ship_group_id, solar_system_id, constellation_id, region_id
        from killmail
    ), kill as (
        select kind, entity_id, a.killmail_id, bool_or(a.is_final_blow) as has_final_blow
        from attacker a left join eve_type t on t.type_id = a.ship_type_id
        cross join lateral (values
            (1, a.character_id), (2, a.corporation_id), (3, a.alliance_id), (4, a.faction_id::bigint),
            (5, a.ship_type_id::bigint), (6, t.group_id::bigint)) as side(kind, entity_id)
        where entity_id is not null
        group by kind, entity_id, a.killmail_id
    ), part as (
        select kind, entity_id, day, 1 as kills, 0 as losses, is_solo::int as solo_kills,
               has_final_blow::int as final_blows, points as points_won, 0 as points_lost,
               value as isk_destroyed_cents, 0 as isk_lost_cents, 0 as npc_losses, 0 as npc_isk_lost_cents
        from kill join mail using (killmail_id)
        union all
        select kind, entity_id, day, 1, 0, is_solo::int, 0, points, 0, value, 0, 0, 0
        from mail cross join lateral (values
            (7, solar_system_id::bigint), (8, constellation_id::bigint),
            (9, region_id::bigint)) as place(kind, entity_id)
        where entity_id is not null
        union all
        select kind, entity_id, day, 0, 1, 0, 0, 0, points, 0, value, is_npc::int, is_npc::int * value
        from mail cross join lateral (values
            (1, victim_character_id), (2, victim_corporation_id), (3, victim_alliance_id),
            (4, victim_faction_id::bigint), (5, ship_type_id::bigint),
            (6, ship_group_id::bigint)) as side(kind, entity_id)
        where entity_id is not null
    )
    select kind::smallint as entity_kind, entity_id, day, {sums}
    from part group by kind, entity_id, day
"""
_SUMS = ", ".join(f"sum({name})::bigint as {name}" for name in COUNTS)
_WIDE = ", ".join(f"{name}::bigint as {name}" for name in COUNTS)
_STORED = f"select entity_kind, entity_id, day, {_WIDE} from daily_stat"  # noqa: S608 - names of our own columns
_TOTALS = """
    select (killmail_time at time zone 'UTC')::date as day, count(*)::int as killmails,
           sum(total_value_cents)::bigint as total_value_cents
    from killmail group by 1
"""


@dataclass(frozen=True)
class Difference:
    """A row of a rollup that is stored otherwise than the facts say; `stored` or `recounted` None: no such row."""

    table: str
    key: tuple[object, ...]
    stored: tuple[object, ...] | None
    recounted: tuple[object, ...] | None


async def recount_differences(connection: Connection, limit: int = 100) -> list[Difference]:
    """Return up to `limit` rows of the rollups that do not equal a recount of the facts; empty when all do.

    Reads all of the facts: seconds for a hundred thousand killmails.
    """
    found = []
    stats = _RECOUNTED.format(sums=_SUMS)
    for table, stored, recounted, key_size in (
        ("daily_stat", _STORED, stats, 3),
        ("daily_total", "select day, killmails, total_value_cents from daily_total", _TOTALS, 1),
    ):
        rows = await connection.fetch(
            f"""with stored as ({stored}), recounted as ({recounted})
                (select 'stored' as side, x.* from (table stored except table recounted) x limit $1)
                union all
                (select 'recounted', x.* from (table recounted except table stored) x limit $1)""",  # noqa: S608
            limit,
        )
        sides: dict[tuple[object, ...], dict[str, tuple[object, ...]]] = {}
        for side, *values in map(tuple, rows):
            sides.setdefault(tuple(values[:key_size]), {})[side] = tuple(values[key_size:])
        found += [Difference(table, key, at.get("stored"), at.get("recounted")) for key, at in sides.items()]
    return found[:limit]


async def rebuild_rollups(connection: Connection) -> None:
    """Replace the rollups by a recount, in one transaction that keeps writers of killmails out until it commits."""
    async with connection.transaction():
        await connection.execute("lock table daily_stat, daily_total in share row exclusive mode")
        await connection.execute("delete from daily_stat")
        await connection.execute("delete from daily_total")
        await connection.execute(f"insert into daily_stat {_ordered(_RECOUNTED.format(sums=_SUMS))}")
        await connection.execute(f"insert into daily_total (day, killmails, total_value_cents) {_TOTALS}")


def _ordered(recount: str) -> str:
    names = ", ".join(COUNTS)
    return f"(entity_kind, entity_id, day, {names}) select entity_kind, entity_id, day, {names} from ({recount}) r"  # noqa: S608
