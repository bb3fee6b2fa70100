"""Writes of types as ESI tells of them: the details of all, and the whole row of one the static data does not have yet.

CCP's static data is the better source: where it has a type, a group or a category, that row stays as it is, and the
next import replaces what came from here.
"""

from __future__ import annotations

from datetime import datetime

from killreport.db.database import Connection
from killreport.entity.kind import EntityKind
from killreport.entity.store import settle
from killreport.esi.model import EsiCategory, EsiGroup, EsiType
from killreport.eve.changes import lock_static, note_new_type
from killreport.eve.importer import IMPORT_LOCK


async def is_group_known(connection: Connection, group_id: int) -> bool:
    """Return whether the group is stored, so that ESI need not be asked for it."""
    return bool(await connection.fetchval("select exists (select from eve_group where group_id = $1)", group_id))


async def store_type(connection: Connection, found: EsiType, *, at: datetime) -> None:
    """Store what ESI told of a type at that moment; its group must be stored.

    Of one that was unknown all processes are told, and the killmails that named it are to be derived again.
    """
    await _keep_imports_away(connection)
    if not await connection.fetchval("select exists (select from eve_type where type_id = $1)", found.type_id):
        # Before anything that somebody who stores a killmail, and holds the static data still, could wait for.
        await lock_static(connection)
    is_new = await connection.fetchval(
        """insert into eve_type (type_id, name, group_id, category_id, is_published, market_group_id, is_overheatable)
           select $1, $2, group_id, category_id, $4, $5, false from eve_group where group_id = $3
           on conflict do nothing
           returning true""",
        found.type_id,
        found.name,
        found.group_id,
        found.published,
        found.market_group_id,
    )
    if is_new:
        await note_new_type(connection, found.type_id)
    await connection.execute(
        """insert into type_detail (type_id, description, mass, volume, capacity, refreshed_at)
           values ($1, $2, $3, $4, $5, $6)
           on conflict (type_id) do update
               set description = excluded.description, mass = excluded.mass, volume = excluded.volume,
                   capacity = excluded.capacity, refreshed_at = excluded.refreshed_at
             where type_detail.refreshed_at <= excluded.refreshed_at""",
        found.type_id,
        found.description,
        found.mass,
        found.volume,
        found.capacity,
        at,
    )
    await settle(connection, EntityKind.SHIP_TYPE, [found.type_id])


async def store_group(connection: Connection, group: EsiGroup, category: EsiCategory) -> None:
    """Store a group the static data does not have, with its category."""
    await _keep_imports_away(connection)
    await connection.execute(
        "insert into eve_category (category_id, name, is_published) values ($1, $2, $3) on conflict do nothing",
        category.category_id,
        category.name,
        category.published,
    )
    await connection.execute(
        """insert into eve_group (group_id, name, category_id, is_published) values ($1, $2, $3, $4)
           on conflict do nothing""",
        group.group_id,
        group.name,
        category.category_id,
        group.published,
    )


async def _keep_imports_away(connection: Connection) -> None:
    """Wait for an import of static data, and let none begin before the commit: it could not store the same row."""
    await connection.execute("select pg_advisory_xact_lock_shared($1)", IMPORT_LOCK)
