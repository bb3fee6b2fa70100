"""A copy of a filled database as it was before postings and packed rows: a row an attacker, an item and a killer.

The other servers of the benches read it, with the tables and indexes that a careful developer would give them.
"""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg

from bench.databases import database_beside
from killreport.db.migrate import list_migrations
from killreport.eve.seed import load_seed

LAST_MIGRATION = 29  # the last one of plain rows
_TABLES = ("killmail", "attacker", "item", "character", "corporation", "alliance")
# Columns that the rows of today have no more.
_MADE = {
    "hash": "killmail_hash(victim_character_id, final_blow_character_id, ship_type_id, killmail_time)",
    "labels": "label_names(labels, ship_category_id)",
}
# As migration 10 made the table.
_KILLED_BY = """
    insert into killed_by (code, killmail_time, killmail_id)
    select distinct side.id << 4 | side.kind, m.killmail_time, m.killmail_id
    from attacker a join killmail m using (killmail_id) left join eve_type t on t.type_id = a.ship_type_id
    cross join lateral (values (1, a.character_id), (2, a.corporation_id), (3, a.alliance_id), (4, a.faction_id),
        (5, a.ship_type_id), (6, t.group_id), (15, a.weapon_type_id)) as side (kind, id)
    where side.id is not null
"""


@asynccontextmanager
async def plain_rows_of(source_url: str) -> AsyncIterator[str]:
    """Lend the URL of a database with the killmails and names of another one, in plain rows."""
    async with database_beside(source_url) as url:
        source, target = await asyncpg.connect(source_url), await asyncpg.connect(url)
        try:
            for migration in list_migrations():
                if migration.version <= LAST_MIGRATION:
                    await target.execute(migration.sql)
            await load_seed(target)
            for table in _TABLES:
                await _copy(source, target, table)
            await target.execute(_KILLED_BY, timeout=1_800)
            await target.execute("vacuum (analyze)", timeout=1_800)
        finally:
            await source.close()
            await target.close()
        yield url


async def _copy(source: Any, target: Any, table: str) -> None:
    """Copy the rows of a table, which the source may have as a view."""
    names = [await _columns(connection, table) for connection in (source, target)]
    columns = [name for name in names[1] if name in names[0] or (table == "killmail" and name in _MADE)]
    values = [_MADE.get(name, name) if table == "killmail" else name for name in columns]
    with tempfile.TemporaryFile() as rows:
        query = f"select {', '.join(values)} from {table}"
        await source.copy_from_query(query, output=rows, format="binary", timeout=1_800)
        rows.seek(0)
        await target.copy_to_table(table, source=rows, columns=columns, format="binary", timeout=1_800)


async def _columns(connection: Any, table: str) -> list[str]:
    rows = await connection.fetch(
        """select attname from pg_attribute
            where attrelid = $1::text::regclass and attnum > 0 and not attisdropped and attgenerated = ''""",
        table,
    )
    return [row[0] for row in rows]
