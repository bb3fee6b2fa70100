"""worker-types: fills in types from ESI: ships, modules, items; and mends the killmails that named what was unknown.

Input: a type's id. Effect: description, mass, volume and capacity are stored, and for a type the static data does not
have yet also its name, group and category; the ledger's row goes. All processes are told of a new type, and beside its
queue the worker derives the killmails again that name a type or system of which the static data says other things now,
whoever changed it (`killreport.killmail.writing.rederive_due`). Retry: all of it again, idempotent. Hazard: the
static data wins over ESI wherever it has the row.
"""

from __future__ import annotations

import asyncio

import structlog

from killreport.background import beside, keep, wait_or_end
from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import mark_gone
from killreport.entity.types import is_group_known, store_group, store_type
from killreport.errors import KillreportError, NotFound
from killreport.fleet.table import ProcessRow
from killreport.killmail.writing.rederive_due import rederive_due
from killreport.queueing.messages import TypeMessage
from killreport.workers.consuming import Tools, run_worker

# An import says nothing to this worker; it is found by looking.
LOOK_SECONDS = 60.0

log = structlog.get_logger()


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left, killmails to be derived again included."""
    has_new = asyncio.Event()

    async def handle_and_wake(message: TypeMessage, tools: Tools) -> None:
        await handle(message, tools)
        has_new.set()

    consuming = run_worker(TypeMessage, handle_and_wake, settings, database, stop=stop, once=once, row=row)
    if once:
        await consuming
        await rederive_due(database)
        return
    async with beside(keep(lambda: _keep_mending(database, has_new), "mending")):
        await consuming


async def _keep_mending(database: Database, has_new: asyncio.Event) -> None:
    """Derive killmails again that are due: now, after a new type, and every minute; until cancelled."""
    while True:
        has_new.clear()
        try:
            await rederive_due(database)
        except (KillreportError, *DATABASE_ERRORS) as error:
            log.warning("mending_trouble", reason=str(error), pause_seconds=LOOK_SECONDS)
        await wait_or_end(has_new, LOOK_SECONDS)


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
