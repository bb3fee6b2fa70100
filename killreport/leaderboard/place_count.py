"""Counts the rankings of busy places over all time: once a day, since that reads all their days.

A place with few killmails is not counted: its days are summed for whoever asks, in some milliseconds.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from killreport.db.database import Connection, Database
from killreport.entity.kind import EntityKind
from killreport.killmail.stored.system_figures import SYSTEM_KINDS, Sums, split
from killreport.leaderboard.dearest import MAX_DEAREST
from killreport.leaderboard.model import FIGURES, MAX_PLACES_OF_PLACE, SUMS
from killreport.leaderboard.place_sums import add_rows, read_rows
from killreport.leaderboard.store import RANKING_LOCK

# A place with more is counted.
LIVE_KILLMAILS = 2_000
COUNT_EVERY = timedelta(hours=20)

# Of each region its places: itself, its constellations, its systems.
_PLACES = f"""select kind, id, solar_system_id from eve_system cross join lateral (values
    ({EntityKind.SOLAR_SYSTEM:d}, solar_system_id), ({EntityKind.CONSTELLATION:d}, constellation_id),
    ({EntityKind.REGION:d}, region_id)) as place(kind, id) where region_id = $1"""  # noqa: S608 - numbers of our own
_DUE = f"""
    select region_id from eve_region
    left join total_stat on entity_kind = {EntityKind.REGION:d} and entity_id = region_id
    left join place_run on place_kind = {EntityKind.REGION:d} and place_id = region_id
    where (kills > $1 or counted_at is not null) and (counted_at is null or counted_at <= $2)
    order by region_id
"""  # noqa: S608
_BUSY = f"""
    select place.kind, place.id, place.solar_system_id from ({_PLACES}) place
    join total_stat on entity_kind = place.kind and entity_id = place.id and kills > $2
"""  # noqa: S608
_MAPPED = "unnest($1::smallint[], $2::bigint[], $3::bigint[]) as busy (place_kind, place_id, solar_system_id)"
_PLACE = "partition by place_kind, place_id order by"
_RANKS = ", ".join(f"row_number() over ({_PLACE} {name} desc, entity_id) as by_{name}" for name in FIGURES)
_IS_HEAD = " or ".join(f"({name} > 0 and by_{name} <= {MAX_PLACES_OF_PLACE})" for name in FIGURES)
_NAMES = ", ".join(FIGURES)
# What is added up of the systems' days in memory goes here when it is much, at the latest after each system.
_MOST_SUMS = 100_000
_SYSTEM_SUM = f"""
    create temporary table system_sum (
        solar_system_id bigint, entity_kind smallint, entity_id bigint, {_NAMES.replace(",", " bigint,")} bigint
    ) on commit drop
"""
_HEADS = f"""
    with there as materialized (
        select solar_system_id, entity_id, {SUMS} from system_sum
        where entity_kind = $4::smallint group by 1, 2
    ), figure as (
        select place_kind, place_id, entity_id, {SUMS} from there join {_MAPPED} using (solar_system_id)
        group by 1, 2, 3
    ), ranked as (select *, {_RANKS} from figure)
    insert into place_head (place_kind, place_id, entity_kind, entity_id, {_NAMES})
    select place_kind, place_id, $4::smallint, entity_id, {_NAMES} from ranked where {_IS_HEAD}
"""  # noqa: S608
_DEAREST = f"""
    insert into place_dearest (place_kind, place_id, killmail_id, total_value_cents)
    select place_kind, place_id, killmail_id, total_value_cents from (
        select place_kind, place_id, killmail_id, total_value_cents,
               row_number() over ({_PLACE} total_value_cents desc, killmail_id desc) as place
        from killmail join {_MAPPED} using (solar_system_id)) ranked
    where place <= {MAX_DEAREST}
"""  # noqa: S608
_RUNS = f"""insert into place_run (place_kind, place_id, last_day, counted_at)
    select distinct place_kind, place_id, $4::date, $5::timestamptz from {_MAPPED}"""  # noqa: S608


async def count_places(
    database: Database, *, now: datetime, everything: bool = False, counted: Callable[[int], None] = lambda _: None
) -> int:
    """Count the busy places of each region that is due, a region a transaction; return how many places there are.

    Due is what was not counted for COUNT_EVERY, with `everything` all. `counted` is told the places of each region.
    Readers see the counts of before until then. Safe to repeat and to run twice at once.
    """
    due_since = now if everything else now - COUNT_EVERY
    async with database.connection() as connection:
        regions = await connection.fetch(_DUE, LIVE_KILLMAILS, due_since)
    places = 0
    for (region_id,) in regions:
        async with database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock($1)", RANKING_LOCK)
            found = await _count_region(connection, region_id, now)
        places += found
        counted(found)
    return places


async def _count_region(connection: Connection, region_id: int, now: datetime) -> int:
    """Replace what is counted of a region and of all in it; return of how many places."""
    for table in ("place_run", "place_head", "place_dearest"):
        await connection.execute(
            f"""delete from {table} using (select distinct kind, id from ({_PLACES}) every) place
                where place_kind = place.kind and place_id = place.id""",  # noqa: S608
            region_id,
        )
    rows = await connection.fetch(_BUSY, region_id, LIVE_KILLMAILS)
    if not rows:
        return 0
    busy = [list(column) for column in zip(*map(tuple, rows), strict=True)]
    await connection.execute(_SYSTEM_SUM)
    for solar_system_id in set(busy[2]):
        await _sum_system(connection, solar_system_id)
    for kind in SYSTEM_KINDS:
        await connection.execute(_HEADS, *busy, int(kind))
    await connection.execute(_DEAREST, *busy)
    await connection.execute(_RUNS, *busy, now.date(), now)
    return len(set(zip(*busy[:2], strict=True)))


async def _sum_system(connection: Connection, solar_system_id: int) -> None:
    """Put into `system_sum` what everybody did in a system; who did much may be there more than once."""
    sums: dict[EntityKind, Sums] = {kind: {} for kind in SYSTEM_KINDS}
    async for rows in read_rows(connection, [solar_system_id], None):
        await add_rows(sums, rows)
        if sum(map(len, sums.values())) > _MOST_SUMS:
            await _save_sums(connection, solar_system_id, sums)
    await _save_sums(connection, solar_system_id, sums)


async def _save_sums(connection: Connection, solar_system_id: int, sums: Mapping[EntityKind, Sums]) -> None:
    records = [
        (solar_system_id, int(kind), entity_id, *split(joined))
        for kind, of_kind in sums.items()
        for entity_id, joined in of_kind.items()
    ]
    await connection.copy_records_to_table("system_sum", records=records)
    for of_kind in sums.values():
        of_kind.clear()
