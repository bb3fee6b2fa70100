"""Listening and locks over connections of their own."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest

from killreport.coordination.single_instance import hold_lock
from killreport.db.database import Database
from killreport.db.listen import listen
from killreport.errors import Conflict

OTHERS = "select count(*) from pg_stat_activity where datname = current_database() and application_name = $1"
BREAK = """select count(pg_terminate_backend(pid)) from pg_stat_activity
           where datname = current_database() and application_name = $1"""


async def query(database: Database, sql: str, *arguments: str) -> object:
    async with database.connection() as connection:
        return await connection.fetchval(sql, *arguments)


async def wait_until_gone(database: Database, application_name: str) -> None:
    async with asyncio.timeout(30):
        while await query(database, OTHERS, application_name) != 0:
            pass


async def test_payloads_arrive_in_order_after_an_empty_one(database: Database) -> None:
    feed = listen(database, "news")
    assert await anext(feed) == ""
    async with database.transaction() as connection:
        for number in range(3):
            await connection.execute("select pg_notify('news', $1)", str(number))
    assert [await anext(feed) for _ in range(3)] == ["0", "1", "2"]
    await feed.aclose()


async def test_other_channels_are_not_heard(database: Database) -> None:
    feed = listen(database, "news")
    await anext(feed)
    await query(database, "select pg_notify('gossip', 'a')::text")
    await query(database, "select pg_notify('news', 'b')::text")
    assert await anext(feed) == "b"
    await feed.aclose()


async def test_a_lost_connection_is_made_anew_and_says_so(database: Database) -> None:
    feed = listen(database, "news")
    await anext(feed)
    assert await query(database, BREAK, "listen news") == 1
    assert await anext(feed) == ""
    await query(database, "select pg_notify('news', 'after')::text")
    assert await anext(feed) == "after"
    await feed.aclose()


async def test_a_server_that_never_stops_telling_is_asked_too(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The server ends a session that only listens, and on a busy board there is never a silence to ask in."""
    monkeypatch.setattr("killreport.db.listen.SESSION", {"idle_session_timeout": "1s"})
    monkeypatch.setattr("killreport.db.listen.SILENCE_SECONDS", 0.2)
    feed = listen(database, "news")
    assert await anext(feed) == ""
    end, number = asyncio.get_running_loop().time() + 2.5, 0
    while asyncio.get_running_loop().time() < end:
        number += 1
        await query(database, "select pg_notify('news', $1)::text", str(number))
        assert await anext(feed) == str(number)
    await feed.aclose()


async def test_a_cancelled_listener_leaves_no_connection_behind(database: Database) -> None:
    heard = asyncio.Event()

    async def follow() -> None:
        async for _ in listen(database, "news"):
            heard.set()

    follower = asyncio.create_task(follow())
    await heard.wait()
    follower.cancel()
    with pytest.raises(asyncio.CancelledError):
        await follower
    await wait_until_gone(database, "listen news")


async def test_a_held_lock_is_refused_to_others_until_its_holder_leaves(database: Database) -> None:
    async with hold_lock(database, "worker-redisq"):
        with pytest.raises(Conflict, match=r"^worker-redisq is already running on this database\.$"):
            async with hold_lock(database, "worker-redisq"):
                pass
        async with hold_lock(database, "another"):
            pass
    async with hold_lock(database, "worker-redisq") as lost:
        assert not lost.is_set()


async def test_the_holder_learns_that_its_lock_is_lost(database: Database) -> None:
    async with hold_lock(database, "worker-redisq") as lost:
        await query(database, BREAK, "lock worker-redisq")
        async with asyncio.timeout(30):
            await lost.wait()
        async with hold_lock(database, "worker-redisq"):
            pass


async def test_a_lock_goes_with_a_holder_that_fails(database: Database) -> None:
    with pytest.raises(asyncpg.DataError):
        async with hold_lock(database, "worker-redisq"):
            raise asyncpg.DataError("the holder's own")
    await wait_until_gone(database, "lock worker-redisq")
    async with hold_lock(database, "worker-redisq"):
        pass
