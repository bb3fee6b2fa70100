"""Compares the last days with zKillboard's published totals and stores what is missing.

Input: zKillboard's history, the killmails of a day that lacks some. Effect: killmails through the one writer.
Days the feed owes are the feed's to settle; a day that both repair is stored once all the same.
"""

from __future__ import annotations

from datetime import timedelta

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.ingest.repair import open_repair

# A killmail is published up to 72 hours late where its owner asked for it, and its day's file is rewritten then.
DAYS = 7


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Make the last days whole and return a sentence about them."""
    today = utc_now().date()
    days = [today - timedelta(days=back) for back in range(DAYS)]
    async with open_repair(settings, database) as repairing:
        async for day in repairing.repair(days, trust_counts=True):
            progress.count("days")
            progress.count("stored", day.stored_after - day.stored_before)
            progress.count("missing", day.missing)
    counts = progress.counts
    if not counts["days"]:
        return f"zKillboard has published none of the last {DAYS} days."
    missing = f", {counts['missing']} could not be had" if counts["missing"] else ""
    return f"Compared {counts['days']} days: {counts['stored']} killmails stored{missing}."
