"""A database of the release of migration 29, with 310 made-up killmails, and what that release does to it."""

from __future__ import annotations

import gzip
from pathlib import Path

import asyncpg

from killreport.db.database import Connection
from killreport.db.migrate import upgrade
from killreport.eve.seed import load_seed

_DUMP = Path(__file__).with_name("data") / "release_0029.sql.gz"
_ROWS = ("killmail", "attacker", "item", "killed_by")


async def make_release_0029(url: str) -> None:
    """Make an empty database one of that release.

    The dump was made by pg_dump of what that release stored: 200 killmails of the simulator, and 110 odd ones.
    """
    connection = await asyncpg.connect(url)
    try:
        await upgrade(connection, before="storage")
        await load_seed(connection)
        await connection.execute(gzip.decompress(_DUMP.read_bytes()).decode())
    finally:
        await connection.close()


async def keep_old_rows(connection: Connection) -> None:
    """Copy the tables that go, to compare what is stored after them with what was."""
    await connection.execute("drop schema if exists kept cascade; create schema kept")
    for table in _ROWS:
        await connection.execute(f"create table kept.{table} as table public.{table}")


async def store_like_old(connection: Connection, killmail_id: int, like: int, kind: str = "stored") -> None:
    """Store a copy of a killmail under another id, as far as the move looks at it, with the event that tells it."""
    async with connection.transaction():
        for table in _ROWS:
            names = await connection.fetchval(
                """select string_agg(quote_ident(attname), ', ') from pg_attribute
                   where attrelid = ('public.' || $1::text)::regclass and attnum > 0 and not attisdropped
                     and attname <> 'killmail_id'""",
                table,
            )
            await connection.execute(
                f"insert into public.{table} (killmail_id, {names}) select $1, {names} from public.{table} "
                "where killmail_id = $2",
                killmail_id,
                like,
            )
        await tell_like_old(connection, kind, killmail_id)


async def remove_like_old(connection: Connection, killmail_id: int) -> None:
    """Remove a killmail, with the event that tells it."""
    async with connection.transaction():
        for table in _ROWS:
            await connection.execute(f"delete from public.{table} where killmail_id = $1", killmail_id)
        await tell_like_old(connection, "changed", killmail_id)


async def revalue_like_old(connection: Connection, killmail_id: int, cents: int) -> None:
    """Give a killmail another value, prices and labels, with the event that tells it."""
    async with connection.transaction():
        await connection.execute(
            """update public.killmail set total_value_cents = $2, labels = labels || '{ganked}'::text[]
               where killmail_id = $1""",
            killmail_id,
            cents,
        )
        await connection.execute("update public.item set unit_price_cents = 7 where killmail_id = $1", killmail_id)
        await tell_like_old(connection, "changed", killmail_id)


async def tell_like_old(connection: Connection, kind: str, killmail_id: int) -> None:
    """Record an event of one killmail."""
    await connection.execute(
        """insert into public.event (kind, killmail_ids, first_place, first_sequence)
           select $1, array[$2::bigint], max(first_place + cardinality(killmail_ids)),
                  case $1 when 'stored' then max(first_sequence + cardinality(killmail_ids)) end
           from public.event""",
        kind,
        killmail_id,
    )
