"""Counts kills, losses, ISK, members and corporations of every alliance, for the pages that show them.

Input: the daily figures and the stored corporations. Effect: columns of `alliance`, in one statement. Twice in a row:
the second finds nothing to change.
"""

from __future__ import annotations

from killreport.config import Settings
from killreport.coordination.entity_events import tell_entities
from killreport.coordination.events import open_events
from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.entity import counts


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Bring the figures of all alliances up to date and return a sentence about it."""
    async with database.transaction() as connection:
        changed = await counts.update_alliance_counts(connection)
    async with open_events(settings, database) as events:
        await tell_entities(events, changed.resized_ids)
    progress.count("changed", changed.count)
    return f"{changed.count} alliances have other figures than before."
