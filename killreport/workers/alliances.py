"""worker-alliances: fills in alliances from ESI.

Input: an alliance's id. Effect: name, ticker, executor corporation, faction and founding date are stored, and the
ledger's row goes; an executor nobody knows yet is queued. Retry: all of it again, idempotent. Hazard: a closed alliance
has no executor, and is kept as it is; old killmails name a faction where an alliance should be, which is none.
"""

from __future__ import annotations

import asyncio

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import store_alliance
from killreport.esi.model import EsiAlliance
from killreport.fleet.table import ProcessRow
from killreport.queueing.messages import AllianceMessage
from killreport.workers.consuming import Tools, run_worker
from killreport.workers.refreshing import Named, refresh


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left."""
    await run_worker(AllianceMessage, handle, settings, database, stop=stop, once=once, row=row)


async def handle(message: AllianceMessage, tools: Tools) -> None:
    """Fill in one alliance. Raises as the ESI client and the database do."""
    await refresh(
        tools,
        EntityKind.ALLIANCE,
        message.alliance_id,
        read=tools.esi.alliance,
        store=store_alliance,
        named=_named,
    )


def _named(alliance: EsiAlliance) -> Named:
    return {EntityKind.CORPORATION: [alliance.executor_corporation_id]}
