"""What a database holds, for its operator: version, size, migrations, rows; and emptying it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import asyncpg

from killreport.db.database import Connection
from killreport.db.migrate import LOCK_TIMEOUT_SECONDS, MIGRATION_LOCK, MigrationStatus, migration_status
from killreport.errors import Conflict, Transient

# Objects that belong to an extension go with it, and identity sequences with their column. The key of a partitioned
# table is, in the catalogue, something that the table itself belongs to. `next` is there while killmails are moved.
_OBJECTS = """
select format('drop %s if exists %I.%I cascade',
              case relkind when 'v' then 'view' when 'm' then 'materialized view' when 'S' then 'sequence'
                           when 'f' then 'foreign table' else 'table' end,
              current_schema(), relname)
from pg_class
where relnamespace = current_schema()::regnamespace and relkind in ('r', 'p', 'v', 'm', 'f', 'S')
  and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid
                                              and deptype in ('e', 'i') and refobjid <> objid)
union all
select 'drop schema next cascade' where to_regnamespace('next') is not null
union all
select format('drop routine if exists %s cascade', pg_proc.oid::regprocedure)
from pg_proc
where pronamespace = current_schema()::regnamespace
  and not exists (select from pg_depend where classid = 'pg_proc'::regclass and objid = pg_proc.oid and deptype = 'e')
union all
select format('drop type if exists %I.%I cascade', current_schema(), typname)
from pg_type
where typnamespace = current_schema()::regnamespace and typtype in ('e', 'd', 'r')
  and not exists (select from pg_depend where classid = 'pg_type'::regclass and objid = pg_type.oid and deptype = 'e')
"""


@dataclass(frozen=True)
class DatabaseStatus:
    """A database at one moment.

    rows: estimates by table, the statistics' and not counted; a table never analysed shows what was written since.
    """

    server_version: str
    size_bytes: int
    migrations: Sequence[MigrationStatus]
    rows: dict[str, int]

    @property
    def pending(self) -> list[MigrationStatus]:
        """The migrations that `upgrade` would apply."""
        return [status for status in self.migrations if status.applied_at is None]


async def database_status(connection: Connection) -> DatabaseStatus:
    """Return what the database holds. Changes nothing. Raises Conflict like `migration_status`."""
    rows = await connection.fetch(
        """select coalesce(whole.relname, written.relname) as relname,
                  sum(greatest(pg_class.reltuples::bigint, written.n_live_tup, 0))::bigint as rows
           from pg_stat_user_tables written join pg_class on pg_class.oid = written.relid
           left join pg_inherits on inhrelid = written.relid left join pg_class whole on whole.oid = inhparent
           where written.schemaname = current_schema() and written.relname <> 'schema_migration'
             and (pg_class.relkind <> 'p' or not exists (select from pg_inherits parts where inhparent = written.relid))
           group by 1 order by 1"""
    )
    return DatabaseStatus(
        server_version=await connection.fetchval("show server_version"),
        size_bytes=await connection.fetchval("select pg_database_size(current_database())"),
        migrations=await migration_status(connection),
        rows={row["relname"]: row["rows"] for row in rows},
    )


async def drop_everything(connection: Connection) -> int:
    """Drop every table, type and function of the schema in one transaction, and return how many objects that were.

    Raises Conflict where the schema has tables but no migrations, so is not ours, and Transient where somebody holds a
    lock on something for more than 5 seconds; then nothing is dropped.
    """
    try:
        async with connection.transaction():
            await connection.execute(f"set local lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'")
            await connection.execute("select pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            statements = [row[0] for row in await connection.fetch(_OBJECTS)]
            if statements and await connection.fetchval("select to_regclass('schema_migration')") is None:
                raise Conflict("The database has tables, but none of KillReport's: nothing was dropped.")
            for statement in statements:
                await connection.execute(statement)
    except asyncpg.LockNotAvailableError:
        raise Transient("The database is in use, and nothing was dropped: stop the other processes first.") from None
    return len(statements)
