"""worker-corporations: fills in corporations from ESI.

Input: a corporation's id. Effect: name, ticker, member count, CEO, tax rate and alliance with its period are stored,
and the ledger's row goes; an alliance or a CEO nobody knows yet is queued. Retry: all of it again, idempotent.
Hazard: a closed corporation has no CEO and no members, and is kept as it is.
"""

from __future__ import annotations

import asyncio

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import store_corporation
from killreport.esi.model import EsiCorporation
from killreport.fleet.table import ProcessRow
from killreport.queueing.messages import CorporationMessage
from killreport.workers.consuming import Tools, run_worker
from killreport.workers.refreshing import Named, refresh


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left."""
    await run_worker(CorporationMessage, handle, settings, database, stop=stop, once=once, row=row)


async def handle(message: CorporationMessage, tools: Tools) -> None:
    """Fill in one corporation. Raises as the ESI client and the database do."""
    await refresh(
        tools,
        EntityKind.CORPORATION,
        message.corporation_id,
        read=tools.esi.corporation,
        store=store_corporation,
        named=_named,
    )


def _named(corporation: EsiCorporation) -> Named:
    return {EntityKind.ALLIANCE: [corporation.alliance_id], EntityKind.CHARACTER: [corporation.ceo_id]}
