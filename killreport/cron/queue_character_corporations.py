"""Queues the corporations that characters are in and that are not stored. The game's own are never asked for.

Input: the corporation of every stored character. Effect: a message for each that is missing. Twice in a row: those
that are stored by then are not queued again.
"""

from __future__ import annotations

from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.cron.queueing import queue_ids
from killreport.db.database import Database
from killreport.entity.queries import list_missing_corporation_ids
from killreport.queueing.messages import CorporationMessage
from killreport.queueing.open import open_broker


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue the missing corporations and return a sentence about it."""
    async with database.connection() as connection:
        missing = await list_missing_corporation_ids(connection)
    async with open_broker(settings, database) as broker:
        await queue_ids(broker, progress, missing, CorporationMessage)
    return f"{len(missing)} corporations of characters queued, which were not stored."
