"""What goes on beside the work of a process: it outlives what nobody thought of, and who waits for it hears of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest
from structlog.testing import capture_logs

from killreport.coordination import events
from killreport.coordination.events import DatabaseEvents
from killreport.coordination.heartbeats import beat
from killreport.db.database import Connection, Database

PATIENCE_SECONDS = 30


class OddDatabase:
    """Fails at the statements whose numbers it is told, with what is no error of a database."""

    def __init__(self, *failing: int) -> None:
        self._failing = failing
        self._count = 0
        self.was_written = asyncio.Event()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[OddDatabase]:
        """Lend itself."""
        yield self

    async def execute(self, *_arguments: object) -> None:
        """Fail, or note that a heartbeat got through."""
        self._count += 1
        if self._count in self._failing:
            raise RuntimeError("an error nobody expected")
        self.was_written.set()


@pytest.mark.parametrize("failing", [(1,), (2,), (1, 2)], ids=["forgetting", "writing", "both"])
async def test_a_heart_beats_on_after_what_nobody_expected(failing: tuple[int, ...]) -> None:
    database = OddDatabase(*failing)

    with capture_logs() as logs:
        async with asyncio.timeout(PATIENCE_SECONDS), beat(cast(Database, database), "worker-types"):
            if 1 not in failing:
                await database.was_written.wait()
                database.was_written.clear()
            await database.was_written.wait()

    assert {(line["event"], line["task"], line["reason"]) for line in logs} == {
        ("task_failed", "heartbeat", "RuntimeError: an error nobody expected")
    }


async def test_a_subscriber_hears_what_its_transport_failed_with(monkeypatch: pytest.MonkeyPatch) -> None:
    async def listen(_database: Connection, _channel: str) -> AsyncGenerator[str, None]:
        yield ""
        raise RuntimeError("an error nobody expected")

    monkeypatch.setattr(events, "listen", listen)
    payloads = DatabaseEvents(cast(Database, None)).subscribe("killmail")

    assert await anext(payloads) == ""
    async with asyncio.timeout(PATIENCE_SECONDS):
        with pytest.raises(RuntimeError, match="nobody expected"):
            await anext(payloads)
