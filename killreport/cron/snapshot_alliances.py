"""Keeps every alliance as it is today: name, ticker, executor, members, corporations.

Input: the stored alliances. Effect: one row an alliance and UTC day, in one statement. Twice a day: the later stays.
"""

from __future__ import annotations

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.entity.snapshots import snapshot_alliances


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Keep today's row of all alliances and return a sentence about it."""
    del settings
    today = utc_now().date()
    async with database.transaction() as connection:
        kept = await snapshot_alliances(connection, today)
    progress.count("kept", kept)
    return f"{kept} alliances kept as they are on {today}."
