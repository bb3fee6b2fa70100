"""Looks at CCP's build number and loads the static data when there is a new one.

Input: CCP's list of builds, one small file. Effect: all `eve_*` tables replaced in one transaction, or nothing.
Processes that run take it over; worker-types derives the killmails again that name a type or system that changed.
"""

from __future__ import annotations

from killreport.config import Settings
from killreport.cron.progress import JobProgress
from killreport.db.database import Connection, Database
from killreport.eve.importer import stored_release
from killreport.ingest.static_data import update_static_data


async def is_urgent(connection: Connection) -> bool:
    """Tell whether a former release stored less of the static data than this one reads."""
    release = await stored_release(connection)
    return release is not None and not release.is_complete


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Load the newest build unless it is stored already, and return a sentence about it."""
    release, is_new = await update_static_data(settings, database)
    progress.count("loaded", int(is_new))
    said = "Loaded" if is_new else "Nothing newer than"
    return f"{said} build {release.build_number}, released {release.released_at:%Y-%m-%d}."
