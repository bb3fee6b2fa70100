"""worker-types: fills in types from ESI: ships, modules, items.

Input: a type's id. Effect: description, mass, volume and capacity are stored, and for a type the static data does not
have yet also its name, group and category; the ledger's row goes. Retry: all of it again, idempotent. Hazard: the
static data wins over ESI wherever it has the row, and processes that run see a new type when they load it anew.
"""

from __future__ import annotations

import asyncio

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import mark_gone
from killreport.entity.types import is_group_known, store_group, store_type
from killreport.errors import NotFound
from killreport.fleet.table import ProcessRow
from killreport.queueing.messages import TypeMessage
from killreport.workers.consuming import Tools, run_worker


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left."""
    await run_worker(TypeMessage, handle, settings, database, stop=stop, once=once, row=row)


async def handle(message: TypeMessage, tools: Tools) -> None:
    """Fill in one type. Raises as the ESI client and the database do."""
    try:
        found = await tools.esi.type_(message.type_id)
    except NotFound:
        async with tools.database.transaction() as connection:
            await mark_gone(connection, EntityKind.SHIP_TYPE, message.type_id)
        return
    async with tools.database.connection() as connection:
        is_known = await is_group_known(connection, found.group_id)
    group = None if is_known else await tools.esi.group(found.group_id)
    category = None if group is None else await tools.esi.category(group.category_id)
    async with tools.database.transaction() as connection:
        if group is not None and category is not None:
            await store_group(connection, group, category)
        await store_type(connection, found, at=utc_now())
