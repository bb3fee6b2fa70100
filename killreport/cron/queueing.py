"""Puts many entities on a queue, a batch at a time, so that memory and what a crash repeats stay bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence

from killreport.cron.progress import JobProgress
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.queries import list_ids
from killreport.queueing.broker import Broker
from killreport.queueing.messages import QUEUE_OF, Message

BATCH = 5_000


async def queue_ids(
    broker: Broker, progress: JobProgress, ids: Sequence[int], message: Callable[[int], Message], *, batch: int = BATCH
) -> None:
    """Publish a message for each id and count it once the transport has it. Raises as the broker does."""
    for first in range(0, len(ids), batch):
        messages = [message(entity_id) for entity_id in ids[first : first + batch]]
        await broker.publish_many(QUEUE_OF[type(messages[0])], messages)
        progress.count("queued", len(messages))


async def stored_ids(
    database: Database, kind: EntityKind, *, batch: int = BATCH, with_gone: bool = False
) -> AsyncIterator[list[int]]:
    """Yield the ids of all stored entities, ascending, in batches; no connection is held between.

    with_gone: also of those that ESI did not have the last time.
    """
    after = 0
    while True:
        async with database.connection() as connection:
            ids = await list_ids(connection, kind, after=after, limit=batch, with_gone=with_gone)
        if not ids:
            return
        yield ids
        after = ids[-1]
