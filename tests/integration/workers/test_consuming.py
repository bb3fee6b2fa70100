"""How a queue worker starts, stays the only one, and counts what it does."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from killreport.config import Settings
from killreport.coordination import single_instance
from killreport.coordination.heartbeats import list_heartbeats
from killreport.coordination.single_instance import hold_lock
from killreport.db.database import Database
from killreport.errors import Conflict, Permanent, Unavailable
from killreport.queueing.broker import Priority, QueueCounts
from killreport.queueing.embedded import EmbeddedBroker
from killreport.queueing.messages import CharacterHistoryMessage, CharacterMessage
from killreport.workers import consuming
from killreport.workers.consuming import Tools, run_worker
from tests.integration.workers.lines import Lines
from tests.integration.workers.queues import dead_letters, publish

QUEUE = "zkillboard_character_queue"


class Handler:
    """Notes what it is handed; fails for what it is told to fail for."""

    def __init__(self, bad: int | None = None) -> None:
        self.handled: list[tuple[int, Priority]] = []
        self._bad = bad

    async def __call__(self, message: CharacterHistoryMessage, tools: Tools) -> None:
        if message.character_id == self._bad:
            raise Permanent("It cannot be done.")
        self.handled.append((message.character_id, tools.priority))


@asynccontextmanager
async def working(settings: Settings, database: Database, handler: Handler) -> AsyncIterator[asyncio.Task[None]]:
    """Run a worker that may be the only one beside the block, and stop it at the end as SIGTERM would."""
    stop = asyncio.Event()
    task = asyncio.create_task(run_worker(CharacterHistoryMessage, handler, settings, database, stop=stop, once=False))
    try:
        yield task
    finally:
        stop.set()
        await asyncio.wait([task], timeout=20)
        assert task.done()
    task.result()


async def test_a_second_one_of_those_that_may_run_once_is_refused(
    settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "LOCK_TRIES", 1)
    async with hold_lock(database, "worker-zkillboard"):
        with pytest.raises(Conflict, match="worker-zkillboard is already running"):
            async with working(settings, database, Handler()) as worker:
                await asyncio.wait([worker])


async def test_several_of_the_others_may_run_side_by_side(settings: Settings, database: Database) -> None:
    async def ignore(message: CharacterMessage, tools: Tools) -> None:
        pass

    async with hold_lock(database, "worker-characters"), asyncio.timeout(30):
        await run_worker(CharacterMessage, ignore, settings, database, stop=asyncio.Event(), once=True)


async def test_a_lock_that_was_lost_is_taken_anew_before_anything_else_is_consumed(
    settings: Settings, database: Database, lines: Lines
) -> None:
    handler = Handler()
    async with working(settings, database, handler):
        await lines.wait_for("worker_ready")
        async with database.connection() as connection:
            await connection.execute(
                "select pg_terminate_backend(pid) from pg_stat_activity "
                "where datname = current_database() and application_name = 'lock worker-zkillboard'"
            )
        await lines.wait_for("worker_ready", 2)
        await publish(settings, database, CharacterHistoryMessage(7), priority=Priority.PERSON)
        await lines.wait_for("message_done")

    assert handler.handled == [(7, Priority.PERSON)]


async def test_ready_is_not_said_before_the_transport_answers(
    settings: Settings, database: Database, lines: Lines, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[int] = []
    monkeypatch.setattr(consuming, "notify_ready", lambda: said.append(len(lines.of("worker_trouble"))))
    monkeypatch.setattr("killreport.backoff.FIRST_PAUSE_SECONDS", 0.01)
    count = EmbeddedBroker.counts
    failures = [Unavailable("The queues are away.")] * 2

    async def fail_at_first(self: EmbeddedBroker, queue: str) -> QueueCounts:
        if failures:
            raise failures.pop()
        return await count(self, queue)

    monkeypatch.setattr(EmbeddedBroker, "counts", fail_at_first)
    async with working(settings, database, Handler()):
        await lines.wait_for("worker_ready")

    assert said == [2]


async def test_a_heartbeat_counts_what_was_handled_and_what_was_not(
    settings: Settings, database: Database, lines: Lines
) -> None:
    async with working(settings, database, Handler(bad=8)):
        await publish(settings, database, *(CharacterHistoryMessage(number) for number in (7, 8, 9)))
        await lines.wait_for("message_done", 2)
        await lines.wait_for("message_dead")

    async with database.connection() as connection:
        (heartbeat,) = await list_heartbeats(connection)
    assert (heartbeat.process, heartbeat.handled, heartbeat.failed) == ("worker-zkillboard", 2, 1)
    assert heartbeat.last_error == "Permanent: It cannot be done."
    assert len(await dead_letters(settings, database, QUEUE)) == 1
