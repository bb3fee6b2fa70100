"""Subscriptions as a stream of events, and the bounds of live connections."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.api.guarding import FOLLOW, guarded
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL, serving

EVENTS = {"Accept": "text/event-stream"}


async def event(response: aiohttp.ClientResponse) -> tuple[str, Any]:
    """Return name and data of the next event, heartbeats left out."""
    name, data = "", None
    async with asyncio.timeout(20):
        while line := await response.content.readline():
            field, _, value = line.decode().rstrip("\n").partition(":")
            if field == "event":
                name = value.strip()
            elif field == "data":
                data = json.loads(value) if value.strip() else None
            elif not line.strip() and name:
                return name, data
    return "end", None


async def test_every_stored_kill_is_an_event(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    address = f"{api.address}/graphql"
    async with (
        api.session.post(address, json={"query": FOLLOW}, headers=EVENTS) as posted,
        api.session.get(address, params={"query": FOLLOW}, headers=EVENTS) as got,
    ):
        for response in (posted, got):
            assert (response.status, response.content_type) == (200, "text/event-stream")
            assert await response.content.readline() == b":\n"
        await store(writer, database, arrival(31))
        await store(writer, database, arrival(32))
        for response in (posted, got):
            for number in (31, 32):
                assert await event(response) == ("next", {"data": {"killmailStored": {"id": number}}})


async def test_a_query_is_one_event(api: GraphQL) -> None:
    query = {"query": "{ __typename }"}
    async with api.session.post(f"{api.address}/graphql", json=query, headers=EVENTS) as response:
        assert await event(response) == ("next", {"data": {"__typename": "Query"}})
        assert await event(response) == ("complete", None)
        assert await event(response) == ("end", None)


async def test_what_cannot_begin_is_refused_by_a_status(api: GraphQL) -> None:
    query = {"query": "subscription { nonsense }"}
    async with api.session.post(f"{api.address}/graphql", json=query, headers=EVENTS) as response:
        assert (response.status, response.content_type) == (400, "application/json")
        assert (await response.json())["errors"][0]["message"].startswith("Cannot query field")


async def test_a_subscription_without_a_stream_is_told_where_to_go(api: GraphQL) -> None:
    error = await api.error(FOLLOW)
    assert error["message"] == "Follow a subscription over WebSocket, or with `Accept: text/event-stream`."


async def test_a_quiet_stream_is_kept_alive(settings: Settings, database: Database) -> None:
    async with guarded(settings, database, api_heartbeat_seconds=0.05) as api:
        query = {"query": FOLLOW}
        async with api.session.post(f"{api.address}/graphql", json=query, headers=EVENTS) as response:
            async with asyncio.timeout(20):
                assert await response.content.readexactly(9) == b":\n\n:\n\n:\n\n"


async def test_a_stream_ends_with_the_server(settings: Settings, database: Database) -> None:
    async with aiohttp.ClientSession() as session:
        async with serving(create_app(settings, database)) as address:
            response = await session.post(f"{address}/graphql", json={"query": FOLLOW}, headers=EVENTS)
            assert await response.content.readline() == b":\n"
        assert await event(response) == ("complete", None)
        assert await event(response) == ("end", None)


async def test_a_client_may_have_so_many_live_connections_and_gets_the_place_back(
    settings: Settings, database: Database
) -> None:
    limits = {"api_unlimited_networks": "", "api_sockets_per_client": 1}
    async with guarded(settings, database, **limits) as api:
        query = {"query": FOLLOW}
        async with api.session.post(f"{api.address}/graphql", json=query, headers=EVENTS) as first:
            assert first.status == 200
            async with api.session.post(f"{api.address}/graphql", json=query, headers=EVENTS) as second:
                assert second.status == 429
                error = (await second.json())["errors"][0]
                assert error["extensions"]["code"] == "TOO_MANY_CONNECTIONS"
            with pytest.raises(aiohttp.WSServerHandshakeError) as caught:
                await api.session.ws_connect(f"{api.address}/graphql", protocols=["graphql-transport-ws"])
            assert caught.value.status == 429
        async with asyncio.timeout(20):
            while True:
                try:
                    async with api.subscription(FOLLOW):
                        break
                except aiohttp.WSServerHandshakeError:
                    await asyncio.sleep(0.02)


async def test_a_socket_that_does_not_say_hello_is_closed(settings: Settings, database: Database) -> None:
    async with (
        guarded(settings, database, api_init_seconds=0.1) as api,
        api.session.ws_connect(f"{api.address}/graphql", protocols=["graphql-transport-ws"]) as ws,
    ):
        message = await ws.receive(timeout=20)
        assert (message.type, message.data) == (aiohttp.WSMsgType.CLOSE, 4408)
