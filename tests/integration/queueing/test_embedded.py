"""What only the queues in the database have to stand: a database that goes away, and time."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from killreport.db.database import Database, open_pool
from killreport.db.embedded import use_embedded_server
from killreport.db.migrate import upgrade
from killreport.db.server_folder import folder_of
from killreport.errors import Unavailable
from killreport.queueing import embedded_consumer
from killreport.queueing.broker import Broker
from killreport.queueing.embedded import EmbeddedBroker
from tests.cable import cable_to
from tests.integration.db.users import postmaster_pid
from tests.integration.queueing.consumers import QUEUE, Recorder, characters, consuming, until, until_gone


@pytest.fixture
def broker(database: Database) -> Broker:
    return EmbeddedBroker(database)


@pytest.fixture
async def restarting(tmp_path: Path) -> AsyncIterator[tuple[Database, Path]]:
    """Yield a database on a server of the test's own, and the home folder it lives in."""
    home = tmp_path / "server"
    async with use_embedded_server(home) as url:
        connection = await asyncpg.connect(url)
        await upgrade(connection)
        await connection.close()
        async with open_pool(url, 5, "test") as database:
            yield database, home


async def test_a_consumer_comes_back_by_itself_when_the_server_was_killed(restarting: tuple[Database, Path]) -> None:
    database, home = restarting
    broker = EmbeddedBroker(database)
    await broker.publish_many(QUEUE, characters(*range(20)))
    recorder = Recorder(holds=True)
    async with consuming(broker, recorder, prefetch=5):
        await recorder.seen(5)
        backends = await _backends(database)
        os.kill(postmaster_pid(folder_of(home)), signal.SIGKILL)
        # Its backends live on for a moment, and what they still say yes to is not on the disk yet.
        await until(lambda: _have_ended(backends))
        recorder.released.set()
        await recorder.until(lambda: len(recorder.finished) == 20)
        await until(lambda: _is_empty(broker))

    # What was in hand was neither handed out twice nor counted as lost.
    assert sorted(recorder.numbers) == list(range(20))
    assert {delivery.losses for delivery in recorder.deliveries} == {0}


async def _is_empty(broker: Broker) -> bool:
    try:
        counts = await broker.counts(QUEUE)
    except Unavailable:
        return False
    return counts.ready + counts.delayed + (counts.unacked or 0) == 0


async def test_what_was_published_survives_the_servers_kill(restarting: tuple[Database, Path]) -> None:
    database, home = restarting
    broker = EmbeddedBroker(database)
    await broker.publish_many(QUEUE, characters(*range(1000)))
    os.kill(postmaster_pid(folder_of(home)), signal.SIGKILL)

    async def all_are_there() -> bool:
        try:
            return (await broker.counts(QUEUE)).ready == 1000
        except Unavailable:
            return False

    await until(all_are_there)


async def test_a_lost_connection_costs_nobody_a_message_or_an_attempt(database: Database, broker: Broker) -> None:
    recorder = Recorder(holds=True)
    await broker.publish_many(QUEUE, characters(1, 2))
    async with consuming(broker, recorder):
        await recorder.seen(2)
        await _end_consumers(database)
        await until(lambda: _has_consumer(broker))
        recorder.released.set()
        await until_gone(broker)

    assert recorder.finished == [1, 2]
    assert {delivery.attempt for delivery in recorder.deliveries} == {1}


async def _end_consumers(database: Database) -> None:
    async with database.connection() as connection:
        ended = await connection.fetch(
            """select pg_terminate_backend(pid, 5000) from pg_stat_activity
               where datname = current_database() and application_name like 'consume %'"""
        )
        assert len(ended) == 1


async def _has_consumer(broker: Broker) -> bool:
    return (await broker.counts(QUEUE)).consumers == 1


async def test_told_to_stop_while_the_database_is_away_a_consumer_ends(
    server_url: str, database: Database, broker: Broker
) -> None:
    maintenance = await asyncpg.connect(server_url)
    async with consuming(broker, Recorder()), database.connection() as connection:
        await until(lambda: _has_consumer(broker))
        name = await connection.fetchval("select current_database()")
        await maintenance.execute(f'alter database "{name}" with allow_connections false')
        await _end_consumers(database)
    await maintenance.close()


async def test_a_consumer_whose_way_to_the_database_swallows_hands_nothing_out_twice(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(embedded_consumer, "STATEMENT_SECONDS", 0.5)
    await EmbeddedBroker(database).publish_many(QUEUE, characters(*range(20)))
    recorder = Recorder(holds=True)
    async with cable_to(database.url) as cable, open_pool(cable.url, 2, "behind", seconds=1.0) as behind:
        broker = EmbeddedBroker(behind)
        async with consuming(broker, recorder, prefetch=5):
            await recorder.seen(5)
            cable.freeze()
            recorder.released.set()
            await recorder.until(lambda: len(recorder.finished) == 20)
            await until(lambda: _is_empty(broker))

    assert sorted(recorder.numbers) == list(range(20))
    assert {delivery.losses for delivery in recorder.deliveries} == {0}


async def test_queues_that_cannot_be_reached_are_unavailable(database: Database) -> None:
    nowhere = EmbeddedBroker(Database("postgresql://127.0.0.1:1/none", _NoPool()))

    for call in (nowhere.publish_many(QUEUE, characters(1)), nowhere.counts(QUEUE), nowhere.dead_list(QUEUE, 1)):
        with pytest.raises(Unavailable, match="The queues are not reachable"):
            await call


class _NoPool:
    def acquire(self, *, timeout: float) -> object:
        raise ConnectionRefusedError("no server")


async def test_missing_tables_are_told_and_not_waited_for(database: Database, broker: Broker) -> None:
    async with database.connection() as connection:
        await connection.execute("drop table queue_consumer")

    with pytest.raises(asyncpg.UndefinedTableError):
        await broker.consume(QUEUE, Recorder(), prefetch=1, stop=asyncio.Event())


async def test_an_idle_consumer_asks_no_more_than_ten_statements_a_second(database: Database, broker: Broker) -> None:
    recorder = Recorder()
    async with consuming(broker, recorder):
        await until(lambda: _has_consumer(broker))
        before = await _statements(database)
        await asyncio.sleep(2.0)  # how much is done in a time is what is tested
        asked = await _statements(database) - before

    assert asked <= 20


async def _statements(database: Database) -> int:
    """Return how many transactions the database has seen, each statement of a consumer being one."""
    async with database.connection() as connection:
        await connection.execute("select pg_stat_force_next_flush()")
        found: int = await connection.fetchval(
            "select xact_commit from pg_stat_database where datname = current_database()"
        )
    return found


async def test_taking_reads_the_index_and_not_the_queue(database: Database, broker: Broker) -> None:
    await broker.publish_many(QUEUE, characters(*range(20_000)))
    async with database.connection() as connection, connection.transaction():
        await connection.execute("set local enable_seqscan = off; set local enable_sort = off")
        plan = await connection.fetch(
            """explain (costs off) select message_id from queue_message
               where queue = $1 and leased_by is null and ready_at is null
               order by priority desc, message_id limit 10 for update skip locked""",
            QUEUE,
        )

    lines = "\n".join(row[0] for row in plan)
    assert "queue_message_ready" in lines
    assert "Sort" not in lines


async def _backends(database: Database) -> list[int]:
    async with database.connection() as connection:
        rows = await connection.fetch("select pid from pg_stat_activity where backend_type = 'client backend'")
    return [row["pid"] for row in rows]


async def _have_ended(pids: list[int]) -> bool:
    alive = [name for name in os.listdir("/proc") if name.isdigit() and int(name) in pids]  # noqa: PTH208 - as ASYNC240 asks
    return not alive
