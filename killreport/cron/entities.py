"""The jobs that queue entities for their workers, keep them as they are today, and count what an alliance has.

Each function is the job of its name. Queueing twice in a row has each entity read twice, which changes nothing; a
snapshot twice a day keeps the later state, in one statement; counting twice finds nothing to change. What may fail
half way (the queues) leaves messages that are right by themselves.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.coordination.entity_events import publish_changed_entities
from killreport.coordination.events import open_events
from killreport.cron.progress import JobProgress
from killreport.cron.queueing import queue_ids, stored_ids
from killreport.db.database import Connection, Database
from killreport.entity import counts, snapshots
from killreport.entity.kind import EntityKind
from killreport.entity.queries import list_missing_corporation_ids
from killreport.esi.client import open_esi
from killreport.queueing.messages import AllianceCorporationsMessage, AllianceMessage, CorporationMessage
from killreport.queueing.open import open_broker


async def queue_alliances(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue every alliance that ESI lists, in one call: this is how new ones are found."""
    async with open_esi(settings, database) as esi:
        listed = sorted(set(await esi.alliance_ids()))
    new = set(listed)
    async for ids in stored_ids(database, EntityKind.ALLIANCE, with_gone=True):
        new.difference_update(ids)
    progress.count("new", len(new))
    async with open_broker(settings, database) as broker:
        await queue_ids(broker, progress, listed, AllianceMessage)
    return f"{len(listed)} alliances queued, {len(new)} of them not stored yet."


async def queue_alliance_corporations(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue every stored alliance for its list of corporations: this is how corporations are found."""
    async with open_broker(settings, database) as broker:
        async for ids in stored_ids(database, EntityKind.ALLIANCE, with_gone=progress.everything):
            await queue_ids(broker, progress, ids, AllianceCorporationsMessage)
    return f"{progress.counts['queued']} alliances queued for their corporations."


async def queue_character_corporations(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue the corporations that stored characters are in and that are not stored; never the game's own."""
    async with database.connection() as connection:
        missing = await list_missing_corporation_ids(connection)
    async with open_broker(settings, database) as broker:
        await queue_ids(broker, progress, missing, CorporationMessage)
    return f"{len(missing)} corporations of characters queued, which were not stored."


async def snapshot_alliances(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Keep a row of today of every alliance: name, ticker, executor, members, corporations."""
    del settings
    return await _keep_today(database, progress, snapshots.snapshot_alliances, "alliances")


async def snapshot_corporations(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Keep a row of today of every corporation: name, ticker, CEO, alliance, members."""
    del settings
    return await _keep_today(database, progress, snapshots.snapshot_corporations, "corporations")


async def update_alliance_counts(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Count kills, losses, ISK, members and corporations of every alliance, for the pages that show them."""
    async with database.transaction() as connection:
        changed = await counts.update_alliance_counts(connection)
    async with open_events(settings, database) as events:
        await publish_changed_entities(events, changed.resized_ids)
    progress.count("changed", changed.count)
    return f"{changed.count} alliances have other figures than before."


async def _keep_today(
    database: Database, progress: JobProgress, snapshot: Callable[[Connection, date], Awaitable[int]], whom: str
) -> str:
    today = utc_now().date()
    async with database.transaction() as connection:
        kept = await snapshot(connection, today)
    progress.count("kept", kept)
    return f"{kept} {whom} kept as they are on {today}."
