"""Clients that tool authors use, against the API: gql for Python, graphql-ws for Node.js."""

from __future__ import annotations

import asyncio
import json
import logging
from pathlib import Path

import pytest
from gql import Client, gql
from gql.transport.aiohttp import AIOHTTPTransport
from gql.transport.aiohttp_websockets import AIOHTTPWebsocketsTransport

from killreport.db.database import Database
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import arrival, store
from tests.integration.serving import GraphQL
from tests.npm import installed

CLIENT = Path(__file__).with_name("client.mjs")
FOLLOW = "subscription { killmails(filter: { solo: true }) { id solo } }"


async def test_gql_for_python_queries_and_subscribes(api: GraphQL, writer: KillmailWriter, database: Database) -> None:
    logging.getLogger("gql").setLevel(logging.WARNING)
    async with Client(
        transport=AIOHTTPTransport(url=f"{api.address}/graphql"), fetch_schema_from_transport=True
    ) as http:
        assert await http.execute(gql("{ status { killmailCount } }")) == {"status": {"killmailCount": 0}}
    address = api.address.replace("http", "ws")
    async with Client(transport=AIOHTTPWebsocketsTransport(url=f"{address}/graphql")) as live:
        events = live.subscribe(gql(FOLLOW))
        first = asyncio.ensure_future(anext(events))
        await live.execute(gql("{ __typename }"))  # operations of one connection begin in the order they were sent
        await store(writer, database, arrival(77))
        assert await asyncio.wait_for(first, 30) == {"killmails": {"id": 77, "solo": True}}
        await events.aclose()


async def test_graphql_ws_for_node_queries_and_subscribes(
    api: GraphQL, writer: KillmailWriter, database: Database, pytestconfig: pytest.Config
) -> None:
    modules = await asyncio.to_thread(installed, pytestconfig)
    node = await asyncio.create_subprocess_exec(
        *("node", str(CLIENT), api.address), cwd=modules.parent, stdout=asyncio.subprocess.PIPE
    )
    assert node.stdout is not None
    try:
        async with asyncio.timeout(60):
            assert json.loads(await node.stdout.readline()) == {"data": {"status": {"killmailCount": 0}}}
            assert await node.stdout.readline() == b"following\n"
            await store(writer, database, arrival(77))
            assert json.loads(await node.stdout.readline()) == {"data": {"killmails": {"id": 77, "solo": True}}}
            assert await node.wait() == 0
    finally:
        if node.returncode is None:
            node.kill()
            await node.wait()
