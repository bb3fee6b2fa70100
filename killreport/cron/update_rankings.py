"""Counts the rankings of all windows longer than a day, and once a day those of busy places over all time.

Input: the rollups of killmails, and the values of killmails. Effect: the tables `ranking` and `ranking_run`, a window
a transaction; `place_head`, `place_dearest` and `place_run`, a region a transaction; the old places are shown until
then. Hazard: none; twice in a row only takes the time again.
"""

from __future__ import annotations

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.leaderboard.place_count import count_places
from killreport.leaderboard.store import count_rankings


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Count all rankings of long windows and return a sentence about it."""
    del settings
    now = utc_now()
    places = await count_rankings(database, today=now.date())
    progress.count("places", places)
    counted = await count_places(
        database,
        now=now,
        everything=progress.everything,
        counted=lambda number: progress.count("busy_places", number),
    )
    return f"Counted {places} places of rankings, and all time of {counted} busy systems and regions."
