"""What changed about entities is told beside the work, together where it came together."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from killreport.config import Settings
from killreport.coordination import publishers
from killreport.coordination.publishers import publishing_entities
from killreport.db.database import Database
from tests.unit.coordination.told import Told

DATABASE = cast(Database, None)


class Transport(Told):
    """Events that answer when they may, opened as often as `opened` says."""

    def __init__(self) -> None:
        super().__init__()
        self.opened = 0
        self.publishing = asyncio.Event()
        self.go_on = asyncio.Event()

    async def publish(self, channel: str, payload: str) -> None:
        """Publish once it is let."""
        self.publishing.set()
        await self.go_on.wait()
        await super().publish(channel, payload)

    @asynccontextmanager
    async def open(self, _settings: Settings, _database: Database) -> AsyncIterator[Told]:
        """Lend itself."""
        self.opened += 1
        yield self


@pytest.fixture
def transport(monkeypatch: pytest.MonkeyPatch) -> Transport:
    transport = Transport()
    monkeypatch.setattr(publishers, "open_events", transport.open)
    return transport


async def test_what_comes_while_one_event_is_told_is_the_next_one_and_all_is_told_in_the_end(
    transport: Transport,
) -> None:
    async with publishing_entities(Settings(), DATABASE) as publisher:
        publisher.publish([2])
        await transport.publishing.wait()
        for entity_id in (5, 4, 5, 3):
            publisher.publish([entity_id])
        transport.go_on.set()
    assert transport.told == [("entity", "2"), ("entity", "3,4,5")]


async def test_a_transport_that_does_not_answer_holds_nobody_up_for_long(
    transport: Transport, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishers, "FAREWELL_SECONDS", 0.01)
    async with publishing_entities(Settings(), DATABASE) as publisher:
        publisher.publish([1])
        await transport.publishing.wait()
    assert transport.told == []


async def test_where_nothing_changes_nothing_is_opened(transport: Transport) -> None:
    async with publishing_entities(Settings(), DATABASE) as publisher:
        publisher.publish([])
    assert transport.opened == 0
