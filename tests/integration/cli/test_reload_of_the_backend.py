"""The real API replaced again and again under load: no request fails, every subscriber is told to come back.

KILLREPORT_TEST_CHAOS_ROUNDS sets how many reloads (default 2; by hand 10).
"""

from __future__ import annotations

import asyncio
import os
from collections import Counter
from pathlib import Path

import aiohttp
import pytest

from tests.integration.cli.test_fleet_commands import Terminal

pytestmark = pytest.mark.fleet

ROUNDS = int(os.environ.get("KILLREPORT_TEST_CHAOS_ROUNDS", "2"))
SUBSCRIBERS = 20
ASKERS = 10
# Each asks, waits this long, asks again: all together about 200 requests a second.
PAUSE_SECONDS = 0.05
PATIENCE_SECONDS = 60


class Load:
    """Clients of the API: some ask over kept connections, some subscribe. failed: what should not have happened."""

    def __init__(self, session: aiohttp.ClientSession, sockets: aiohttp.ClientSession, address: str) -> None:
        self._session = session
        self._sockets = sockets
        self._address = address
        self.failed: list[str] = []
        self.answered = 0
        self.closed: Counter[int | None] = Counter()
        self.subscribed: set[int] = set()
        self.changed = asyncio.Condition()

    async def ask(self) -> None:
        """Ask again and again. A POST is not repeated by the client where its connection breaks."""
        while True:
            try:
                async with self._session.post(f"{self._address}/graphql", json={"query": "{ __typename }"}) as answer:
                    assert (answer.status, await answer.json()) == (200, {"data": {"__typename": "Query"}})
                self.answered += 1
            except (aiohttp.ClientError, OSError, AssertionError) as error:
                self.failed.append(repr(error))
            await asyncio.sleep(PAUSE_SECONDS)

    async def subscribe(self, number: int) -> None:
        """Subscribe, and again whenever told to come back."""
        while True:
            async with self._sockets.ws_connect(
                f"{self._address}/graphql", protocols=["graphql-transport-ws"], autoclose=True
            ) as ws:
                await ws.send_json({"type": "connection_init"})
                assert (await ws.receive_json())["type"] == "connection_ack"
                query = "subscription { killmailStored { id } }"
                await ws.send_json({"type": "subscribe", "id": "1", "payload": {"query": query}})
                async with self.changed:
                    self.subscribed.add(number)
                    self.changed.notify_all()
                async for _message in ws:
                    pass
                async with self.changed:
                    self.subscribed.discard(number)
                    self.closed[ws.close_code] += 1
                    self.changed.notify_all()

    async def wait_for(self, closed: int) -> None:
        """Return when so many were told to come back, and all have."""
        async with asyncio.timeout(PATIENCE_SECONDS), self.changed:
            await self.changed.wait_for(lambda: self.closed.total() >= closed and len(self.subscribed) == SUBSCRIBERS)


@pytest.mark.chaos
async def test_reloads_under_load_fail_no_request_and_send_every_subscriber_to_the_new_process(
    database_url: str, tmp_path: Path
) -> None:
    terminal = Terminal(database_url, tmp_path / "home")
    try:
        await asyncio.to_thread(terminal.json, "start", "killreport-backend")
        pids = set()
        # Like a browser, subscribers come over connections of their own, never over one that was kept.
        connector = aiohttp.TCPConnector(limit=0, force_close=True)
        async with aiohttp.ClientSession() as session, aiohttp.ClientSession(connector=connector) as sockets:
            load = Load(session, sockets, f"http://127.0.0.1:{terminal.api_port}")
            tasks = [asyncio.create_task(load.ask()) for _ in range(ASKERS)]
            tasks += [asyncio.create_task(load.subscribe(number)) for number in range(SUBSCRIBERS)]
            await load.wait_for(closed=0)
            for number in range(1, ROUNDS + 1):
                [reloaded] = await asyncio.to_thread(terminal.json, "reload", "killreport-backend")
                pids.update(reloaded["pids"])
                await load.wait_for(closed=number * SUBSCRIBERS)
            for task in tasks:
                assert not task.done(), task.exception()
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
    finally:
        await asyncio.to_thread(terminal.run, "kill")

    assert load.failed == []
    assert load.answered > ROUNDS * ASKERS
    assert len(pids) == ROUNDS
    assert load.closed == {1012: ROUNDS * SUBSCRIBERS}
