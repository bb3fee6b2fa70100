"""From the ledger to the queues, once or beside the feed, with queues that are there or not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.errors import Unavailable
from killreport.queueing.broker import Broker, Priority
from killreport.queueing.embedded import EmbeddedBroker
from killreport.queueing.messages import Message
from killreport.workers import handover
from killreport.workers.handover import hand_over, keep_handing_over
from tests.integration.workers.lines import Lines
from tests.integration.workers.queues import eventually, fetch, ready_counts

CHARACTERS = range(2112000001, 2112000011)


class Away(EmbeddedBroker):
    """Queues that do not answer until they are there again."""

    is_there = False

    async def publish_many(
        self, queue: str, messages: Sequence[Message], *, priority: Priority = Priority.BATCH
    ) -> None:
        if not self.is_there:
            raise Unavailable("The queues are away.")
        await super().publish_many(queue, messages, priority=priority)


class Slow(EmbeddedBroker):
    """Queues that never confirm."""

    async def publish_many(
        self, queue: str, messages: Sequence[Message], *, priority: Priority = Priority.BATCH
    ) -> None:
        await asyncio.Event().wait()


async def note(database: Database, kind: EntityKind, ids: Sequence[int]) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into refresh_ledger (entity_kind, entity_id) select $1, unnest($2::bigint[])", int(kind), list(ids)
        )


async def count_queued(database: Database) -> int:
    return (await fetch(database, "select count(queued_at) from refresh_ledger"))[0][0]  # type: ignore[no-any-return]


async def test_each_kind_goes_to_its_queue_once(settings: Settings, database: Database) -> None:
    await note(database, EntityKind.CHARACTER, CHARACTERS)
    await note(database, EntityKind.CORPORATION, [98000001, 98000002])
    await note(database, EntityKind.ALLIANCE, [99000001])
    await note(database, EntityKind.SHIP_TYPE, [90000])
    broker = EmbeddedBroker(database)

    assert [await hand_over(database, broker, settings) for _ in range(2)] == [14, 0]
    assert await ready_counts(settings, database) == {
        "esi_character_info_queue": 10,
        "esi_corporation_info_queue": 2,
        "esi_alliance_info_queue": 1,
        "esi_type_info_queue": 1,
    }
    assert (await broker.peek("esi_alliance_info_queue", 1))[0].priority is Priority.SEEN


async def test_what_was_queued_too_long_ago_is_queued_again(settings: Settings, database: Database) -> None:
    await note(database, EntityKind.CHARACTER, CHARACTERS)
    broker = EmbeddedBroker(database)
    await hand_over(database, broker, settings)
    async with database.connection() as connection:
        await connection.execute(
            "update refresh_ledger set queued_at = now() - interval '31 minutes' where entity_id = $1", CHARACTERS[0]
        )

    assert await hand_over(database, broker, settings) == 1
    assert await fetch(database, "select entity_id from refresh_ledger where tries = 2") == [(CHARACTERS[0],)]


async def test_an_imports_thousands_do_not_stand_in_the_way_of_what_is_seen_live(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "BATCH", 4)
    monkeypatch.setattr(handover, "MAX_SEEN", 2)
    broker = EmbeddedBroker(database)
    await note(database, EntityKind.CHARACTER, CHARACTERS)
    imported = await hand_over(database, broker, settings)
    await note(database, EntityKind.CHARACTER, [2119999999])
    await hand_over(database, broker, settings)

    waiting = await broker.peek("esi_character_info_queue", 20)

    assert imported == 10
    assert waiting[0].body == b'{"character_id":2119999999}'
    assert [entry.priority for entry in waiting].count(Priority.BATCH) == 10


async def test_nothing_counts_as_queued_that_the_queues_did_not_confirm(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "PUBLISH_SECONDS", 0.05)
    await note(database, EntityKind.CHARACTER, CHARACTERS)

    for broker in (Away(database), Slow(database)):
        with pytest.raises(Unavailable):
            await hand_over(database, broker, settings)
        assert await count_queued(database) == 0


async def test_two_sweeps_at_once_queue_everybody_once(settings: Settings, database: Database) -> None:
    await note(database, EntityKind.CHARACTER, range(2112000001, 2112003001))
    broker = EmbeddedBroker(database)

    counts = await asyncio.gather(*(hand_over(database, broker, settings) for _ in range(2)))

    assert sum(counts) == 3000
    assert await ready_counts(settings, database) == {"esi_character_info_queue": 3000}


@asynccontextmanager
async def handing_over(settings: Settings, database: Database) -> AsyncIterator[asyncio.Event]:
    """Hand over beside the block; yields what says that there is something new."""
    has_new = asyncio.Event()
    task = asyncio.create_task(keep_handing_over(settings, database, has_new))
    try:
        yield has_new
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.wait([task])


async def test_what_is_new_is_handed_over_at_once_and_not_at_the_next_sweep(
    settings: Settings, database: Database, lines: Lines
) -> None:
    await note(database, EntityKind.CHARACTER, CHARACTERS)
    async with handing_over(settings, database) as has_new:
        await lines.wait_for("entities_queued")
        await note(database, EntityKind.CORPORATION, [98000001])
        has_new.set()
        await lines.wait_for("entities_queued", 2)

    assert [line["count"] for line in lines.of("entities_queued")] == [10, 1]


async def test_a_sweep_finds_what_nobody_told_of(
    settings: Settings, database: Database, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "SWEEP_SECONDS", 0.05)
    async with handing_over(settings, database):
        await note(database, EntityKind.CHARACTER, CHARACTERS)
        await lines.wait_for("entities_queued")


async def test_queues_that_are_away_are_survived_and_caught_up_with(
    settings: Settings, database: Database, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    away = Away(database)

    @asynccontextmanager
    async def open_away(*_arguments: object, **_options: object) -> AsyncIterator[Broker]:
        yield away

    monkeypatch.setattr(handover, "open_broker", open_away)
    monkeypatch.setattr("killreport.backoff.FIRST_PAUSE_SECONDS", 0.01)
    await note(database, EntityKind.CHARACTER, CHARACTERS)
    async with handing_over(settings, database):
        await lines.wait_for("handover_trouble", 2)
        queued = await count_queued(database)
        away.is_there = True
        await lines.wait_for("entities_queued")

    assert queued == 0
    assert await ready_counts(settings, database) == {"esi_character_info_queue": 10}


async def test_a_database_that_is_away_is_survived(
    settings: Settings, database: Database, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("killreport.backoff.FIRST_PAUSE_SECONDS", 0.01)
    async with database.connection() as connection:
        await connection.execute("alter table refresh_ledger rename to ledger_away")
    async with handing_over(settings, database):
        await lines.wait_for("handover_trouble")
        async with database.connection() as connection:
            await connection.execute("alter table ledger_away rename to refresh_ledger")
        await note(database, EntityKind.CHARACTER, CHARACTERS)
        await lines.wait_for("entities_queued")
    await eventually(lambda: count_queued(database))
