"""A way to the database that swallows: neither end hears from the other again, and neither is told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import aclosing

import pytest
from structlog.testing import capture_logs

from killreport.coordination import single_instance
from killreport.coordination.single_instance import hold_lock
from killreport.db import listen
from killreport.db.connection import connect
from killreport.db.database import AWAY_ERRORS, Database, open_pool
from killreport.errors import Conflict
from tests.cable import Cable, cable_to

SESSIONS = "select count(*) from pg_stat_activity where datname = current_database() and application_name = $1"


@pytest.fixture
async def cable(database_url: str) -> AsyncIterator[Cable]:
    """Yield a cable to the test's database."""
    async with cable_to(database_url) as cable:
        yield cable


async def sessions(database: Database, name: str) -> int:
    async with database.connection() as connection:
        return int(await connection.fetchval(SESSIONS, name))


async def until_sessions(database: Database, name: str, count: int) -> None:
    async with asyncio.timeout(30):
        while await sessions(database, name) != count:  # noqa: ASYNC110 - the server is waited for
            await asyncio.sleep(0.02)


async def test_who_is_cancelled_in_a_transaction_learns_of_that_and_of_nothing_else(database: Database) -> None:
    waiting = asyncio.Event()

    async def survive_all() -> None:
        with contextlib.suppress(*AWAY_ERRORS):
            async with database.transaction() as connection, connection.transaction():
                waiting.set()
                await connection.fetch("select pg_sleep(60)")

    task = asyncio.create_task(survive_all())
    await waiting.wait()
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task], timeout=30)
    assert task.cancelled()


async def test_what_ended_a_transaction_is_raised_where_its_connection_ended_too(database: Database) -> None:
    async def fail() -> None:
        async with database.transaction() as connection:
            connection.terminate()
            raise LookupError

    with pytest.raises(LookupError):
        await fail()
    async with database.connection() as connection:
        assert await connection.fetchval("select 1") == 1


async def test_a_statement_that_is_not_answered_ends_both_halves_and_the_pool_heals(
    cable: Cable, database: Database
) -> None:
    async with open_pool(cable.url, 1, "swallowed", seconds=0.5) as behind:

        async def lock() -> None:
            async with behind.transaction() as connection:
                await connection.execute("select pg_advisory_xact_lock(1)")
                cable.freeze()
                await connection.execute("select 1")

        with pytest.raises(AWAY_ERRORS):
            await lock()
        # The server's half holds a lock no longer: somebody ended it, over another connection.
        async with asyncio.timeout(30), database.transaction() as connection:
            await connection.execute("select pg_advisory_xact_lock(1)")
        async with behind.connection() as connection:
            assert await connection.fetchval("select 1") == 1
        await until_sessions(database, "swallowed", 1)


async def test_whoever_is_cancelled_does_not_wait_for_a_server_that_says_nothing(cable: Cable) -> None:
    async with open_pool(cable.url, 1, "swallowed", seconds=300) as behind:
        cable_is_cut = asyncio.Event()

        async def ask() -> None:
            async with behind.transaction() as connection:
                await connection.execute("select 1")
                cable.swallow()
                cable_is_cut.set()
                await connection.execute("select 1")

        asking = asyncio.create_task(ask())
        await cable_is_cut.wait()
        asking.cancel()
        done, _ = await asyncio.wait([asking], timeout=30)
        assert done == {asking}
        cable.spit()
        async with asyncio.timeout(30), behind.connection() as connection:
            assert await connection.fetchval("select 1") == 1


async def test_a_rollback_that_is_not_answered_is_not_waited_for(cable: Cable, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("killreport.db.connection.ROLLBACK_SECONDS", 0.2)

    async def fail_behind(behind: Database) -> None:
        async with behind.transaction() as connection:
            await connection.execute("select 1")
            cable.freeze()
            raise ZeroDivisionError

    async with open_pool(cable.url, 1, "swallowed", seconds=300) as behind, asyncio.timeout(30):
        with pytest.raises(ZeroDivisionError):
            await fail_behind(behind)
        async with behind.connection() as connection:
            assert await connection.fetchval("select 1") == 1


async def test_a_dead_holder_s_lock_is_free_for_the_next(
    cable: Cable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "LIFE_SECONDS", 0.1)
    monkeypatch.setattr(single_instance, "ANSWER_SECONDS", 0.3)
    async with open_pool(cable.url, 1, "swallowed") as behind, hold_lock(behind, "worker-redisq") as lost:
        # While it shows that it lives, nobody takes the lock away, however short the silence that would count.
        for _ in range(3):
            monkeypatch.setattr(single_instance, "SILENT_SECONDS", 5.0)
            with pytest.raises(Conflict):
                async with hold_lock(database, "worker-redisq"):
                    pass
            await asyncio.sleep(0.1)
        assert not lost.is_set()
        cable.freeze()
        async with asyncio.timeout(30):
            await lost.wait()
        # The server knows nothing yet: to it the session of the holder is as good as ever.
        assert await sessions(database, "lock worker-redisq") == 1
        monkeypatch.setattr(single_instance, "SILENT_SECONDS", 0.2)
        # What its pool had is not lent again either: it went the same way.
        async with behind.connection() as connection:
            assert await connection.fetchval("select 1") == 1
        async with hold_lock(database, "worker-redisq") as lost_again:
            assert not lost_again.is_set()
            await until_sessions(database, "lock worker-redisq", 1)


async def test_a_holder_that_stands_still_loses_its_lock_and_learns_of_it(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(single_instance, "LIFE_SECONDS", 3600.0)
    async with hold_lock(database, "worker-redisq") as lost:
        with pytest.raises(Conflict):
            async with hold_lock(database, "worker-redisq"):
                pass
        monkeypatch.setattr(single_instance, "SILENT_SECONDS", 0.0)
        async with hold_lock(database, "worker-redisq"), asyncio.timeout(30):
            await lost.wait()


async def test_a_listener_asks_a_silent_server_and_connects_anew(
    cable: Cable, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(listen, "SILENCE_SECONDS", 0.1)
    monkeypatch.setattr(listen, "ANSWER_SECONDS", 0.3)
    async with (
        open_pool(cable.url, 1, "swallowed") as behind,
        aclosing(listen.listen(behind, "news")) as feed,
        asyncio.timeout(30),
    ):
        assert await anext(feed) == ""
        cable.freeze()
        assert await anext(feed) == ""
        async with database.connection() as connection:
            await connection.execute("select pg_notify('news', 'after')")
        assert await anext(feed) == "after"


async def test_the_server_ends_a_session_whose_client_does_not_speak_any_more(database: Database) -> None:
    session = {"idle_session_timeout": "100ms", "idle_in_transaction_session_timeout": "100ms"}
    for begin in ("select 1", "begin"):
        connection = await connect(database.url, "silent", seconds=5, session=session)
        ended = asyncio.Event()
        connection.add_termination_listener(lambda _connection, ended=ended: ended.set())
        await connection.execute(begin)
        async with asyncio.timeout(30):
            await ended.wait()


async def test_both_ends_of_a_connection_ask_whether_the_other_is_there(database_url: str) -> None:
    if "host=" in database_url or "@/" in database_url:
        pytest.skip("a unix socket has no ends that could lose each other")
    connection = await connect(database_url, "asking", seconds=5)
    names = ("tcp_keepalives_idle", "tcp_keepalives_interval", "tcp_keepalives_count", "tcp_user_timeout")
    assert [await connection.fetchval(f"show {name}") for name in names] == ["10", "5", "3", "25000"]
    assert await connection.fetchval("show client_connection_check_interval") == "5s"
    await connection.close()


async def test_what_could_not_be_ended_is_said_and_left_to_the_server_s_own_limits(
    cable: Cable, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("killreport.db.connection.END_SECONDS", 0.2)

    async def ask(behind: Database) -> None:
        async with behind.connection() as connection:
            cable.swallow()
            await connection.execute("select 1")

    async with open_pool(cable.url, 1, "swallowed", seconds=0.2) as behind:
        with capture_logs() as lines, pytest.raises(TimeoutError):
            await ask(behind)
        assert [line["event"] for line in lines] == ["statement_unanswered"]
        with capture_logs() as lines:
            async with asyncio.timeout(30):
                while not lines:  # noqa: ASYNC110 - what is waited for is in the background
                    await asyncio.sleep(0.02)
        assert [line["event"] for line in lines] == ["session_not_ended"]
        cable.spit()
        async with behind.connection() as connection:
            assert await connection.fetchval("select 1") == 1
