"""Events over both transports: told to everybody, in order; a lost connection and a slow reader are told so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

import pytest
from pydantic import SecretStr

from killreport.config import Settings
from killreport.coordination import events as events_module
from killreport.coordination.events import DatabaseEvents, Events, RedisEvents, open_events
from killreport.coordination.heartbeats import beat, list_heartbeats
from killreport.db.database import Database
from tests.cable import cable_to

PATIENCE_SECONDS = 20


@pytest.fixture(params=["database", "redis"])
async def events(request: pytest.FixtureRequest, settings: Settings, database: Database) -> AsyncIterator[Events]:
    """Yield either transport; Redis where KILLREPORT_TEST_REDIS_URL names one. Channels are of the test's own."""
    if request.param == "redis":
        url = request.getfixturevalue("redis_url")
        settings = settings.model_copy(update={"redis_url": SecretStr(url)})
    async with open_events(settings, database) as opened:
        yield opened


async def next_of(payloads: AsyncGenerator[str, None]) -> str:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await anext(payloads)


async def test_every_subscriber_hears_every_event_of_its_channel_in_order(events: Events) -> None:
    async with aclosing(events.subscribe("kills")) as one, aclosing(events.subscribe("kills")) as two:
        assert [await next_of(one), await next_of(two)] == ["", ""]
        await events.publish("others", "0")
        for number in range(20):
            await events.publish("kills", str(number))
        for payloads in (one, two):
            assert [await next_of(payloads) for _ in range(20)] == [str(number) for number in range(20)]


async def test_nobody_listening_is_no_error(events: Events) -> None:
    await events.publish("nobody", "1")


async def cut(events: Events, database: Database) -> None:
    """Break the connection a subscriber listens on."""
    if isinstance(events, DatabaseEvents):
        async with database.connection() as connection:
            await connection.execute(
                """select pg_terminate_backend(pid) from pg_stat_activity
                    where datname = current_database() and application_name like 'listen %'"""
            )
        return
    assert isinstance(events, RedisEvents)
    client: Any = events._client
    for found in await client.client_list(_type="pubsub"):
        if int(found.get("sub", 0)) and found["laddr"]:
            await client.client_kill_filter(_id=found["id"])


async def test_after_a_lost_connection_it_is_told_that_something_may_be_missing(
    events: Events, database: Database
) -> None:
    async with aclosing(events.subscribe("kills")) as payloads:
        assert await next_of(payloads) == ""
        await cut(events, database)
        assert await next_of(payloads) == ""
        await events.publish("kills", "7")
        assert await next_of(payloads) == "7"


async def test_a_reader_that_does_not_keep_up_is_told_once_and_holds_nobody_up(
    events: Events, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "MAX_UNREAD", 10)
    async with aclosing(events.subscribe("kills")) as slow, aclosing(events.subscribe("kills")) as quick:
        assert [await next_of(slow), await next_of(quick)] == ["", ""]
        for number in range(95):
            await events.publish("kills", str(number))
            heard = await next_of(quick)
            assert heard == str(number)
        await events.publish("kills", "last")
        assert await next_of(quick) == "last"
        found: list[str] = []
        while not found or found[-1] != "last":
            found.append(await next_of(slow))
    assert "" in found
    assert len(found) <= 12


async def test_a_redis_that_is_away_fails_no_publisher(settings: Settings, database: Database) -> None:
    away = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1:1/0")})
    async with open_events(away, database) as events:
        await events.publish("kills", "1")


async def test_a_process_tells_how_it_does_until_it_ends(database: Database) -> None:
    async with beat(database, "worker-types") as heartbeat:
        heartbeat.succeeded(3)
        heartbeat.failed("no" * 1000)
    async with database.connection() as connection:
        rows = await list_heartbeats(connection)
    assert [(row.process, row.handled, row.failed) for row in rows] == [("worker-types", 3, 1)]
    assert len(rows[0].last_error or "") == 500


@pytest.mark.parametrize("events", ["redis"], indirect=True)
async def test_a_redis_that_falls_silent_is_noticed_by_its_subscriber_and_holds_no_publisher_up(
    events: Events, redis_url: str, settings: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events_module, "SILENCE_SECONDS", 0.2)
    monkeypatch.setattr(events_module, "ANSWER_SECONDS", 0.3)
    async with cable_to(redis_url) as cable:
        through = settings.model_copy(update={"redis_url": SecretStr(cable.url)})
        async with open_events(through, database) as behind, aclosing(behind.subscribe("kills")) as payloads:
            assert await next_of(payloads) == ""
            await events.publish("kills", "1")
            assert await next_of(payloads) == "1"
            cable.freeze()
            await behind.publish("kills", "never")
            assert await next_of(payloads) == ""
            await behind.publish("kills", "2")
            assert await next_of(payloads) == "2"
            cable.swallow()
            await behind.publish("kills", "never")
            cable.spit()
            while await next_of(payloads) != "":
                pass
            await behind.publish("kills", "3")
            assert await next_of(payloads) == "3"
