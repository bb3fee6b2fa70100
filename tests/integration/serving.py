"""ASGI applications served for a test, and a small GraphQL client."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from killreport.cli.processes.serve import serve
from killreport.door.bounds import BOUNDS, Bounds
from killreport.door.connection_limit import ConnectionLimit


def free_listener(port: int = 0) -> socket.socket:
    """Return a listening socket on loopback; the system chooses the port where none is given."""
    # Made again from its descriptor it knows that it is TCP; without that asyncio leaves Nagle's delay on, and every
    # answer on a kept connection waits 40 ms.
    return socket.socket(fileno=socket.create_server(("127.0.0.1", port)).detach())


@asynccontextmanager
async def serving(
    app: Any,
    listener: socket.socket | None = None,
    *,
    connection_limit: ConnectionLimit | None = None,
    bounds: Bounds = BOUNDS,
) -> AsyncIterator[str]:
    """Serve the application while the block runs; yields its base URL once it answers."""
    with listener or free_listener() as bound:
        stop = asyncio.Event()
        task = asyncio.create_task(serve(app, bound, stop, connection_limit=connection_limit, bounds=bounds))
        address = f"http://127.0.0.1:{bound.getsockname()[1]}"
        try:
            # Answered only once the application has started; whether it is healthy is the test's business.
            async with aiohttp.ClientSession() as session, session.get(f"{address}/healthz"):
                pass
            yield address
        finally:
            stop.set()
            await task


class GraphQL:
    """Posts documents and returns whole answers."""

    def __init__(self, session: aiohttp.ClientSession, address: str) -> None:
        self.session = session
        self.address = address

    async def ask(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the whole answer, errors included."""
        body = {"query": query, "variables": variables}
        async with self.session.post(f"{self.address}/graphql", json=body) as response:
            answer: dict[str, Any] = await response.json()
            return answer

    async def data(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the data of an answer without errors."""
        answer = await self.ask(query, variables)
        assert "errors" not in answer, answer["errors"]
        found: dict[str, Any] = answer["data"]
        return found

    async def error(self, query: str, variables: Mapping[str, Any] | None = None) -> dict[str, Any]:
        """Return the only error of an answer."""
        answer = await self.ask(query, variables)
        assert len(answer["errors"]) == 1, answer
        found: dict[str, Any] = answer["errors"][0]
        return found

    @asynccontextmanager
    async def subscription(
        self, document: str, variables: Mapping[str, Any] | None = None
    ) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """Lend a socket with one subscription that has begun."""
        async with self.session.ws_connect(f"{self.address}/graphql", protocols=["graphql-transport-ws"]) as ws:
            await ws.send_json({"type": "connection_init"})
            assert (await ws.receive_json(timeout=10))["type"] == "connection_ack"
            payload = {"query": document, "variables": variables}
            await ws.send_json({"type": "subscribe", "id": "1", "payload": payload})
            await ws.send_json({"type": "ping"})
            assert (await ws.receive_json(timeout=10))["type"] == "pong"
            yield ws
