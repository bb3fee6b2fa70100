"""Live killmails over WebSocket."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from killreport.api.app import create_app
from killreport.api.state import live
from killreport.api.state.live import LiveHub, TooSlow
from killreport.api.views.killmail import load_views
from killreport.api.views.universe import UniverseViews
from killreport.config import Settings
from killreport.coordination.events import open_events
from killreport.coordination.publishers import publishing_killmails
from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import arrival, name_everybody, store, store_many
from tests.integration.serving import GraphQL, serving

FOLLOW = "subscription { killmailStored { id victim { character { name } } attackers { ordinal } } }"


async def next_payload(ws: aiohttp.ClientWebSocketResponse) -> dict[str, object]:
    """Return the payload of the next message, which is one of data."""
    message = await ws.receive_json(timeout=20)
    assert (message["type"], message["id"]) == ("next", "1")
    payload: dict[str, object] = message["payload"]
    return payload


async def test_every_subscriber_gets_every_stored_kill_in_order(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    await name_everybody(database)
    async with api.subscription(FOLLOW) as one, api.subscription(FOLLOW) as other:
        await store(writer, database, arrival(31))
        await store(writer, database, arrival(30), arrival(32))
        for ws in (one, other):
            assert [await next_payload(ws) for _ in range(3)] == [
                {"data": {"killmailStored": {"id": number, **_REST}}} for number in (31, 30, 32)
            ]


_REST = {"victim": {"character": {"name": "Alice"}}, "attackers": [{"ordinal": 0}]}


async def test_what_is_already_known_is_not_sent_again(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    async with api.subscription("subscription { killmailStored { id } }") as ws:
        await store(writer, database, arrival(40))
        await store(writer, database, arrival(40))
        await store(writer, database, arrival(41))
        assert [await next_payload(ws) for _ in range(2)] == [
            {"data": {"killmailStored": {"id": number}}} for number in (40, 41)
        ]


async def test_kills_stored_while_the_listener_is_cut_off_arrive_all_the_same(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    cut = (
        "select count(pg_terminate_backend(pid)) from pg_stat_activity where application_name like 'listen %_killmail'"
        " and datname = current_database()"
    )
    async with api.subscription("subscription { killmailStored { id } }") as ws:
        await store(writer, database, arrival(50))
        assert await next_payload(ws) == {"data": {"killmailStored": {"id": 50}}}
        async with database.connection() as connection:
            assert await connection.fetchval(cut) == 1
        await store(writer, database, arrival(51))
        assert await next_payload(ws) == {"data": {"killmailStored": {"id": 51}}}


@pytest.fixture
async def hub(settings: Settings, database: Database) -> AsyncIterator[LiveHub]:
    """Yield a hub that runs."""
    async with database.connection() as connection:
        views = UniverseViews(await load_universe(connection))
    async with open_events(settings, database) as events:
        hub = LiveHub(database, views, events)
        async with hub.running():
            yield hub


@pytest.fixture
def over_redis(settings: Settings, redis_url: str) -> Settings:
    """Return settings with a Redis; skips the test where none is there."""
    return settings.model_copy(update={"redis_url": SecretStr(redis_url)})


async def test_over_redis_what_the_feed_tells_arrives_at_once(
    over_redis: Settings, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 1000.0)
    async with (
        serving(create_app(over_redis, database)) as address,
        aiohttp.ClientSession() as session,
        GraphQL(session, address).subscription("subscription { killmailStored { id } }") as ws,
        publishing_killmails(over_redis, database) as publisher,
    ):
        for number in (80, 81):
            event_id = (await store(writer, database, arrival(number))).event_id
            assert event_id is not None
            publisher.publish([event_id])
            assert await next_payload(ws) == {"data": {"killmailStored": {"id": number}}}


async def test_over_redis_what_nobody_tells_is_found_all_the_same(
    over_redis: Settings, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.1)
    async with (
        serving(create_app(over_redis, database)) as address,
        aiohttp.ClientSession() as session,
        GraphQL(session, address).subscription("subscription { killmailStored { id } }") as ws,
    ):
        await store(writer, database, arrival(85))
        assert await next_payload(ws) == {"data": {"killmailStored": {"id": 85}}}


async def test_a_subscriber_that_left_is_not_one_that_was_too_slow(
    hub: LiveHub, writer: KillmailWriter, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    gone, listening = hub.subscribe(), hub.subscribe()
    await gone.aclose()
    await store(writer, database, arrival(58))
    async with asyncio.timeout(20):
        await anext(listening)
    assert hub.subscriber_count == 1
    assert "too_slow" not in capsys.readouterr().out


async def test_a_subscriber_that_does_not_keep_up_is_cut_off_and_the_others_are_not(
    hub: LiveHub, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE_LENGTH", 5)
    slow, quick = hub.subscribe(), hub.subscribe()
    seen = []
    for number in range(8):
        await store(writer, database, arrival(60 + number))
        async with asyncio.timeout(20):
            seen.append((await anext(quick)).value.id)
    assert seen == list(range(60, 68))
    with pytest.raises(TooSlow, match="subscribe again and read what was missed"):
        await anext(slow)


async def test_a_failure_inside_a_batch_repeats_nothing(
    hub: LiveHub, writer: KillmailWriter, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    async def fail_once(*args: Any) -> Any:
        calls.append(args)
        if len(calls) == 2:
            raise OSError("the database is away")
        return await load_views(*args)

    monkeypatch.setattr(live, "load_views", fail_once)
    monkeypatch.setattr(live, "LOOK_SECONDS", 0.1)
    following = hub.subscribe()
    await store_many(writer, database, 450)
    async with asyncio.timeout(60):
        ids = [(await anext(following)).value.id for _ in range(450)]
    assert ids == list(range(1000, 1450))


async def test_a_subscriber_that_went_away_is_forgotten(hub: LiveHub) -> None:
    staying = hub.subscribe()
    going = hub.subscribe()
    assert hub.subscriber_count == 2
    del going
    assert hub.subscriber_count == 1
    await staying.aclose()


async def test_closing_the_socket_ends_the_subscription(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    async with api.subscription(FOLLOW) as ws:
        await ws.send_json({"type": "complete", "id": "1"})
        await ws.send_json({"type": "ping"})
        assert await ws.receive_json(timeout=20) == {"type": "pong"}
        await store(writer, database, arrival(70))
        await ws.send_json({"type": "ping"})
        assert await ws.receive_json(timeout=20) == {"type": "pong"}


async def test_a_batch_larger_than_a_page_is_sent_whole(
    api: GraphQL, writer: KillmailWriter, database: Database
) -> None:
    async with api.subscription("subscription { killmailStored { id } }") as ws:
        await store_many(writer, database, 450)
        ids = [(await next_payload(ws))["data"]["killmailStored"]["id"] for _ in range(450)]  # type: ignore[index]
    assert ids == list(range(1000, 1450))


async def test_queries_can_be_asked_over_the_socket_and_errors_are_masked(api: GraphQL, database: Database) -> None:
    async with api.subscription(FOLLOW) as ws:
        await ws.send_json({"type": "subscribe", "id": "2", "payload": {"query": "{ status { killmailCount } }"}})
        assert await ws.receive_json(timeout=20) == {
            "type": "next",
            "id": "2",
            "payload": {"data": {"status": {"killmailCount": 0}}},
        }
        assert await ws.receive_json(timeout=20) == {"type": "complete", "id": "2"}
        await ws.send_json({"type": "subscribe", "id": "3", "payload": {"query": "{ nonsense }"}})
        answer = await ws.receive_json(timeout=20)
        assert (answer["type"], answer["id"]) == ("error", "3")
        await ws.send_json({"type": "subscribe", "id": "4", "payload": {"query": 5}})
        answer = await ws.receive_json(timeout=20)
        assert answer["payload"][0]["message"] == "The query must be a string."


async def test_what_is_not_the_protocol_closes_the_socket_with_4400(api: GraphQL) -> None:
    for text in ("no json", "[]", '{"type": "nonsense"}', "x" * 100_001):
        async with api.session.ws_connect(f"{api.address}/graphql", protocols=["graphql-transport-ws"]) as ws:
            await ws.send_str(text)
            message = await ws.receive(timeout=20)
            assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4400)


async def test_a_socket_without_the_protocol_is_told_which(api: GraphQL) -> None:
    async with api.session.ws_connect(f"{api.address}/graphql") as ws:
        message = await ws.receive(timeout=20)
        assert (message.data, message.extra) == (4406, "Offer the subprotocol graphql-transport-ws.")
