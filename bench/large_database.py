"""A database of many killmails, made in minutes: some are stored as always, and the rest are copies of their rows.

Copy k has the killmails of k times a whole number of weeks earlier under smaller ids, so every rollup can be shifted
or multiplied as well, and a recount finds no difference. Everybody has a name, and the rankings were counted once.
"""

from __future__ import annotations

import asyncio
import math
import tempfile
import time
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
from pydantic import SecretStr
from pyroaring import BitMap64

from bench.agreement import DEFAULT_DATA
from bench.importing import decode_files, time_writer
from bench.universe import seed_universe
from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import Database, open_database
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.postings.packing import pack_ids, unpack_ids
from killreport.killmail.stored.partitions import SPAN, Partitions
from killreport.killmail.stored.rollup import DAILY_TOTAL, TOTAL_STAT
from killreport.killmail.writing.recount import recount_differences
from killreport.leaderboard.place_count import count_places
from killreport.leaderboard.store import count_rankings
from killreport.sim.world.generator import Generator
from killreport.sim.world.people import World

MADE_UP = 20_000
_WEEK_SECONDS = 7 * 24 * 3600
# Table: the columns that are shifted back, by ids or by days.
_FACTS = {
    "killmail": ("killmail_id", "killmail_time"),
    DAILY_TOTAL.name: ("day",),
    "system_figures": ("day",),
}
_NAMES = {
    "character": "'Pilot ' || id",
    "corporation": "'Corporation ' || id, 'C' || id % 10000",
    "alliance": "'Alliance ' || id, 'A' || id % 10000",
}


async def fill(url: str, killmails: int) -> int:
    """Fill an empty migrated database with about so many killmails; return how many there are."""
    arrivals = await asyncio.to_thread(_arrivals, killmails)
    copies = math.ceil(killmails / len(arrivals))
    await time_writer(url, arrivals[: math.ceil(killmails / copies)])
    async with open_database(Settings(database_url=SecretStr(url)), process="bench") as database:
        await _copy(database, copies)
        async with database.connection() as connection:
            for kind, values in _NAMES.items():
                await connection.execute(_name_everybody(kind, values), timeout=600)
            await connection.execute("vacuum (analyze)", timeout=600)
            count: int = await connection.fetchval("select count(*) from killmail")
        now = utc_now()
        await count_rankings(database, today=now.date())
        await count_places(database, now=now)
    return count


async def differences(url: str) -> int:
    """Return how many rows of the rollups are not what a recount of the facts finds; 0 when all is well."""
    connection = await asyncpg.connect(url)
    try:
        return len(await recount_differences(connection))
    finally:
        await connection.close()


def _arrivals(most: int) -> Sequence[Arrival]:
    files = sorted((DEFAULT_DATA / "killmails" / "everef").glob("*.tar.bz2"))
    if files:
        return decode_files(files)[:most]
    generator, now = Generator(seed_universe(), World(1)), int(time.time())
    with tempfile.TemporaryDirectory(prefix="killreport-bench-") as folder:
        path = Path(folder) / "made-up.jsonl"
        bodies = (generator.generate(number, now - MADE_UP + number) for number in range(min(most, MADE_UP)))
        path.write_bytes(b"\n".join(map(msgspec.json.encode, bodies)))
        return decode_files([path])


async def _copy(database: Database, copies: int) -> None:
    async with database.transaction() as connection:
        last, ids, weeks = await connection.fetchrow(
            """select max(killmail_id), max(killmail_id) - min(killmail_id) + 1,
                      ceil(extract(epoch from max(killmail_time) - min(killmail_time)) / $1 + 0.01)::int
                 from killmail""",
            _WEEK_SECONDS,
        )
        await Partitions().make(connection, range(last - ids * copies, last, SPAN // 2))
        for table in _FACTS:
            await connection.execute(f"create temporary table original_{table} on commit drop as table {table}")
        await connection.execute("create temporary table original_posting on commit drop as table posting")
        rebuild = await _drop_indexes(connection)
        for number in range(1, copies):
            for table, shifted in _FACTS.items():
                await connection.execute(
                    await _shift(connection, table, shifted, number * ids, number * weeks), timeout=600
                )
            await _copy_postings(connection, number * ids, timedelta(weeks=number * weeks))
        for statement in rebuild:
            await connection.execute(statement, timeout=1_800)
        sums = ", ".join(f"{name} = {name} * {copies}" for name in TOTAL_STAT.counts)
        hours = f"string_agg(pack_activity(slot, hours.kills * {copies}, hours.losses * {copies}), '')"
        await connection.execute(
            f"""update total_stat
                set {sums}, activity = coalesce((select {hours} from unpack_activity(activity) hours), '')"""
        )


async def _copy_postings(connection: Any, ids: int, back: timedelta) -> None:
    """Store one more copy of the first postings, of killmails whose ids and days are so much smaller."""
    columns = await _columns(connection, "posting")
    rows = []
    async for row in connection.cursor("select * from original_posting", prefetch=5_000):
        shifted = BitMap64(killmail_id - ids for killmail_id in unpack_ids(row["killmail_ids"]))
        rows.append(
            tuple({**row, "day": row["day"] - back, "killmail_ids": pack_ids(shifted)}[name] for name in columns)
        )
    await connection.copy_records_to_table("posting", records=rows, columns=columns, timeout=600)


async def _columns(connection: Any, table: str) -> list[str]:
    rows = await connection.fetch(
        """select attname from pg_attribute
            where attrelid = $1::text::regclass and attnum > 0 and not attisdropped order by attnum""",
        table,
    )
    return [row["attname"] for row in rows]


async def _drop_indexes(connection: Any) -> Sequence[str]:
    """Drop the indexes of the copied tables and return the statements that make them again, at the end.

    Those of killmails stay: they are the partitions' own.
    Building one sorts once; keeping it up to date would touch a page of it for every row.
    """
    rows = await connection.fetch(
        """select c.relname as name, t.relname as table, pg_get_indexdef(i.indexrelid) as definition, k.conname,
                  pg_get_constraintdef(k.oid) as constraint
             from pg_index i
             join pg_class c on c.oid = i.indexrelid
             join pg_class t on t.oid = i.indrelid
             left join pg_constraint k on k.conindid = i.indexrelid and k.contype = 'p'
            where t.oid = any($1::text[]::regclass[])""",
        [*(table for table in _FACTS if table != "killmail"), "posting"],
    )
    rebuild = ["set local maintenance_work_mem = '512MB'"]
    for row in rows:
        if row["constraint"] is None:
            await connection.execute(f"drop index {row['name']}")
            rebuild.append(row["definition"])
        else:
            await connection.execute(f"alter table {row['table']} drop constraint {row['conname']}")
            rebuild.append(f"alter table {row['table']} add constraint {row['conname']} {row['constraint']}")
    return rebuild


async def _shift(connection: Any, table: str, shifted: Sequence[str], ids: int, weeks: int) -> str:
    """Return the statement that stores one more copy of a table's first rows."""
    by = {
        "killmail_id": f"killmail_id - {ids}",
        "killmail_time": f"killmail_time - interval '{weeks * 7} days'",
        "day": f"day - {weeks * 7}",
    }
    names = await _columns(connection, table)
    values = ", ".join(by[name] if name in shifted else name for name in names)
    return f"insert into {table} ({', '.join(names)}) select {values} from original_{table}"


def _name_everybody(kind: str, values: str) -> str:
    columns = "name" if kind == "character" else "name, ticker"
    return f"""insert into {kind} ({kind}_id, {columns})
        select id, {values} from (
            select {kind}_id as id from attacker union select victim_{kind}_id from killmail) as seen
        where id is not null on conflict do nothing"""
