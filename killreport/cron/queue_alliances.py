"""Queues every alliance that ESI lists; this is how new ones are found.

Input: ESI's list, one call. Effect: a message each. Twice in a row: each is read twice, which changes nothing.
"""

from __future__ import annotations

from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.cron.queueing import queue_ids, stored_ids
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.esi.client import open_esi
from killreport.queueing.messages import AllianceMessage
from killreport.queueing.open import open_broker


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue all alliances and return a sentence about it."""
    async with open_esi(settings, database) as esi:
        listed = sorted(set(await esi.alliance_ids()))
    new = set(listed)
    async for ids in stored_ids(database, EntityKind.ALLIANCE, with_gone=True):
        new.difference_update(ids)
    progress.count("new", len(new))
    async with open_broker(settings, database) as broker:
        await queue_ids(broker, progress, listed, AllianceMessage)
    return f"{len(listed)} alliances queued, {len(new)} of them not stored yet."
