"""Queues every stored alliance for its list of corporations; this is how corporations are found.

Input: the stored alliances, with `--all` also those that are gone. Effect: a message each. Twice in a row: each list is
read twice, which changes nothing.
"""

from __future__ import annotations

from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.cron.queueing import queue_ids, stored_ids
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.queueing.messages import AllianceCorporationsMessage
from killreport.queueing.open import open_broker


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue all stored alliances and return a sentence about it."""
    async with open_broker(settings, database) as broker:
        async for ids in stored_ids(database, EntityKind.ALLIANCE, with_gone=progress.everything):
            await queue_ids(broker, progress, ids, AllianceCorporationsMessage)
    return f"{progress.counts['queued']} alliances queued for their corporations."
