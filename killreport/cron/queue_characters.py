"""Queues the characters that are to be read from ESI anew.

Input: every stored character; ESI's affiliations, one call for 1,000. Effect: who moved is stored as moved at once, and
queued with those who were not read for long and those whom ESI left out; with `--all` everyone, also who is gone, and
ESI is not asked. Twice in a row: nobody has moved since. Hazard: a message may be published twice; reading a character
twice is harmless.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.coordination.entity_events import publish_changed_entities
from killreport.coordination.events import open_events
from killreport.cron.progress import JobProgress
from killreport.cron.queueing import queue_ids, stored_ids
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.queries import list_moved_ids, list_stale_ids
from killreport.entity.store import apply_affiliations
from killreport.esi.client import EsiClient, open_esi
from killreport.queueing.broker import Broker
from killreport.queueing.messages import CharacterMessage
from killreport.queueing.open import open_broker

# Whoever is active is read on sight, after settings.character_stale_days. What else changes about a character whose
# corporation stays the same (title, security status) can wait for a quarter of a year.
READ_AFTER = timedelta(days=90)
# Ids that ESI refuses are errors, and of too many errors it asks everybody to pause for a minute.
PATIENCE_SECONDS = 300.0


async def run(settings: Settings, database: Database, *, progress: JobProgress) -> str:
    """Queue who is due, or everyone, and return a sentence about it."""
    async with open_broker(settings, database) as broker:
        if progress.everything:
            async for ids in stored_ids(database, EntityKind.CHARACTER, with_gone=True):
                await queue_ids(broker, progress, ids, CharacterMessage)
            return f"{progress.counts['queued']} characters queued, all there are."
        async with open_esi(settings, database) as esi, open_events(settings, database) as events:
            async for ids in stored_ids(database, EntityKind.CHARACTER):
                await publish_changed_entities(events, await _queue_due(database, broker, esi, ids, progress))
    counts = progress.counts
    return (
        f"{counts['queued']} of {counts['characters']} characters queued: {counts['moved']} moved, "
        f"{counts['left_out']} are not among ESI's affiliations, the others were not read for {READ_AFTER.days} days."
    )


async def _queue_due(
    database: Database, broker: Broker, esi: EsiClient, ids: Sequence[int], progress: JobProgress
) -> Sequence[int]:
    """Queue those of the ids that are due, and return who belonged elsewhere before."""
    at = utc_now()
    affiliations = await esi.affiliations(ids, patience_seconds=PATIENCE_SECONDS)
    left_out = set(ids) - {affiliation.character_id for affiliation in affiliations}
    async with database.connection() as connection:
        moved = await list_moved_ids(connection, affiliations)
        stale = await list_stale_ids(connection, EntityKind.CHARACTER, ids, READ_AFTER)
    # Published before they are stored as moved: a crash in between leaves them to be found again.
    await queue_ids(broker, progress, sorted({*moved, *stale, *left_out}), CharacterMessage)
    async with database.transaction() as connection:
        changed = await apply_affiliations(connection, affiliations, at=at)
    progress.count("characters", len(ids))
    progress.count("moved", len(moved))
    progress.count("left_out", len(left_out))
    return changed
