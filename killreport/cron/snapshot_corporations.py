"""Keeps every corporation as it is today: name, ticker, CEO, alliance, members.

Input: the stored corporations. Effect: one row a corporation and UTC day, in one statement. Twice a day: the later
stays.
"""

from __future__ import annotations

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.entity.snapshots import snapshot_corporations


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Keep today's row of all corporations and return a sentence about it."""
    del settings
    today = utc_now().date()
    async with database.transaction() as connection:
        kept = await snapshot_corporations(connection, today)
    progress.count("kept", kept)
    return f"{kept} corporations kept as they are on {today}."
