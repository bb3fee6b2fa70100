"""Counts the rankings of all windows longer than a day, so that their readers need not.

Input: the rollups of killmails. Effect: the tables `ranking` and `ranking_run`, a window a transaction; the old
places are shown until then. Hazard: none; twice in a row only takes the time again.
"""

from __future__ import annotations

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.progress import Progress
from killreport.db.database import Database
from killreport.leaderboard.store import count_rankings


async def run(settings: Settings, database: Database, *, progress: Progress) -> str:
    """Count all rankings of long windows and return a sentence about it."""
    del settings
    places = await count_rankings(database, today=utc_now().date())
    progress.count("places", places)
    return f"Counted {places} places of rankings."
