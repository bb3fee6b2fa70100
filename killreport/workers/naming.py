"""Asks ESI for the names of many entities at once, before anybody is asked for by itself.

A killmail of a battle brings hundreds of strangers: their names are one question, and the rest of them hundreds. What
has no name comes to no harm: its worker brings it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import timedelta

import structlog

from killreport.config import Settings
from killreport.coordination.publishers import IdPublisher, publishing_entities
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.naming import KINDS, find_unnamed, store_names
from killreport.errors import KillreportError, in_words
from killreport.esi.client import EsiClient, open_esi
from killreport.esi.model import EsiName
from killreport.esi.ranges import known_name

# What waits for the names is the handing over; ESI mostly answers within a second.
PATIENCE_SECONDS = 10.0

log = structlog.get_logger()


class Namer:
    """Gives names to what is on the ledger."""

    def __init__(self, database: Database, esi: EsiClient, entities: IdPublisher) -> None:
        self._database = database
        self._esi = esi
        self._entities = entities

    async def name_due(self, limit: int, retry_after: timedelta) -> int:
        """Store the names of those that are to be queued next and have none, and return how many that were.

        Where ESI does not answer, or not soon, nobody is named. Raises as the database does.
        """
        async with self._database.connection() as connection:
            unnamed = await find_unnamed(connection, limit=limit, retry_after=retry_after)
        if not unnamed:
            return 0
        ids_of: dict[EntityKind, set[int]] = defaultdict(set)
        for kind, entity_id in unnamed:
            ids_of[kind].add(entity_id)
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                names = _by_kind(await self._esi.names(sorted({entity_id for _, entity_id in unnamed})))
        except (KillreportError, TimeoutError) as error:
            log.warning("naming_trouble", count=len(unnamed), reason=in_words(error))
            return 0
        named: list[int] = []
        for kind in sorted(names):
            async with self._database.transaction() as connection:
                named += await store_names(
                    connection, kind, {id_: name for id_, name in names[kind].items() if id_ in ids_of[kind]}
                )
        self._entities.publish(named)
        log.info("entities_named", asked=len(unnamed), named=len(named))
        return len(named)


@asynccontextmanager
async def open_namer(settings: Settings, database: Database) -> AsyncIterator[Namer]:
    """Lend one with a client of ESI of its own."""
    async with open_esi(settings, database) as esi, publishing_entities(settings, database) as entities:
        yield Namer(database, esi, entities)


async def read_names(esi: EsiClient, kind: EntityKind, entity_ids: Sequence[int]) -> dict[int, str]:
    """Return the names that ESI has of these; none where it does not answer, for they are not worth waiting for."""
    try:
        return _by_kind(await esi.names(entity_ids))[kind]
    except KillreportError as error:
        log.warning("naming_trouble", count=len(entity_ids), reason=in_words(error))
        return {}


def _by_kind(rows: Iterable[EsiName]) -> Mapping[EntityKind, dict[int, str]]:
    found: dict[EntityKind, dict[int, str]] = defaultdict(dict)
    for row in rows:
        if row.category in KINDS and known_name(row.name):
            found[KINDS[row.category]][row.id] = row.name
    return found
