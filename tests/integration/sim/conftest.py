"""A simulator on a port of its own, driven by hand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from multidict import CIMultiDict

from killreport.eve.universe import Universe
from killreport.sim.server import run_simulator

FIRST = 96_000_000


@dataclass
class Answer:
    """What came back: enough for every test."""

    status: int
    body: Any
    headers: CIMultiDict[str]


class Client:
    """Asks one simulator."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self.session = session
        self.url = url

    async def ask(self, method: str, path: str, **options: Any) -> Answer:
        """Return the answer; redirects are not followed."""
        async with self.session.request(method, self.url + path, allow_redirects=False, **options) as response:
            is_json = response.content_type == "application/json" and response.status != 304
            body = await response.json() if is_json else await response.read()
            return Answer(response.status, body, CIMultiDict(response.headers))

    async def get(self, path: str, **options: Any) -> Answer:
        """Return the answer to a GET."""
        return await self.ask("GET", path, **options)

    async def post(self, path: str, body: Any) -> Answer:
        """Return the answer to a POST of JSON."""
        return await self.ask("POST", path, json=body)

    async def publish(self, count: int, **options: int) -> int:
        """Publish now; return the newest sequence number."""
        answer = await self.post("/control/publish", {"count": count, **options})
        assert answer.status == 200
        return int(answer.body["head"])

    async def package(self, sequence: int) -> Any:
        """Return a package that must be there."""
        answer = await self.get(f"/ephemeral/{sequence}.json")
        assert answer.status == 200
        return answer.body


class Clock:
    """Unix seconds that move when told."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        return self.now


Running = Callable[..., AbstractAsyncContextManager[Client]]


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands still."""
    return Clock()


@pytest.fixture
def running(tmp_path: Path, universe: Universe, clock: Clock) -> Running:
    """Return what runs a simulator on this test's home, with the options of `run_simulator`."""

    @asynccontextmanager
    async def run(home: Path = tmp_path, **options: Any) -> AsyncIterator[Client]:
        async with (
            run_simulator(home, universe=universe, clock=clock, **options) as url,
            aiohttp.ClientSession() as session,
        ):
            yield Client(session, url)

    return run


@pytest.fixture
async def client(running: Running) -> AsyncIterator[Client]:
    """Yield a client of an empty simulator without limits."""
    async with running() as client:
        yield client
