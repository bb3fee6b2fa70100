"""worker-alliance-corporations: finds the corporations of an alliance. This is how corporations are discovered.

Input: an alliance's id. Effect: every corporation of it is on `esi_corporation_info_queue`, confirmed, before the
message is done; an alliance that has no list is queued itself. Retry: all of them again, which the ESI client's cache
answers. Hazard: the largest alliances have a thousand corporations, so a few hundred of these messages fill that queue
with the whole game.
"""

from __future__ import annotations

import asyncio

import structlog

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.errors import NotFound
from killreport.fleet.table import ProcessRow
from killreport.queueing.messages import QUEUE_OF, AllianceCorporationsMessage, AllianceMessage, CorporationMessage
from killreport.workers.consuming import Tools, run_worker
from killreport.workers.refreshing import is_askable

log = structlog.get_logger()


async def run(
    settings: Settings, database: Database, *, stop: asyncio.Event, once: bool = False, row: ProcessRow | None = None
) -> None:
    """Consume until `stop` is set, or with `once` until nothing is left."""
    await run_worker(AllianceCorporationsMessage, handle, settings, database, stop=stop, once=once, row=row)


async def handle(message: AllianceCorporationsMessage, tools: Tools) -> None:
    """Queue the corporations of one alliance. Raises as the ESI client and the broker do."""
    alliance_id = message.alliance_id
    if not is_askable(EntityKind.ALLIANCE, alliance_id):
        return
    try:
        found = await tools.esi.alliance_corporation_ids(alliance_id)
    except NotFound:
        # Another question's 404 is no word about the alliance: its own worker asks for that.
        await tools.broker.publish_many(QUEUE_OF[AllianceMessage], [AllianceMessage(alliance_id)])
        return
    corporations = [CorporationMessage(i) for i in found if is_askable(EntityKind.CORPORATION, i)]
    if corporations:
        await tools.broker.publish_many(QUEUE_OF[CorporationMessage], corporations, priority=tools.priority)
    log.info("corporations_queued", alliance_id=alliance_id, count=len(corporations))
