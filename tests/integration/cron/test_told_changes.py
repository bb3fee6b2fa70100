"""Jobs that change what is shown of entities tell so, once a batch, and nothing where nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import timedelta

import pytest

from killreport.config import Settings
from killreport.coordination.events import ENTITY_CHANNEL, open_events
from killreport.db.database import Database
from tests.integration.cron.conftest import RunJob
from tests.integration.cron.test_queue_jobs import PILOTS, store_pilots

UNION, HOME = 99_000_001, 98_000_001


class Heard:
    """The payloads of one channel, in order."""

    def __init__(self, payloads: AsyncIterator[str]) -> None:
        self._payloads = payloads

    async def next(self) -> str:
        """Return the next payload."""
        async with asyncio.timeout(20):
            return await anext(self._payloads)


@pytest.fixture
async def heard(job_settings: Settings, database: Database) -> AsyncIterator[Heard]:
    """Yield what is told of entities from now on."""
    async with (
        open_events(job_settings, database) as events,
        aclosing(events.subscribe(ENTITY_CHANNEL)) as payloads,
    ):
        heard = Heard(payloads)
        assert await heard.next() == ""
        yield heard
        await events.publish(ENTITY_CHANNEL, "end")
        assert await heard.next() == "end"


async def test_who_belongs_elsewhere_is_told_in_one_event_a_batch(
    database: Database, run: RunJob, heard: Heard
) -> None:
    await store_pilots(database, *PILOTS[:5], corporation_id=HOME, age=timedelta(hours=1))
    await run("queue-characters")
    assert await heard.next() == ",".join(map(str, PILOTS[:5]))
    await run("queue-characters")


async def test_an_alliance_of_another_size_is_told(database: Database, run: RunJob, heard: Heard) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into alliance (alliance_id, name, ticker) values ($1, 'Union', 'UNI')", UNION)
        await connection.execute(
            """insert into corporation (corporation_id, name, ticker, member_count, alliance_id)
               values ($1, 'Home', 'HOME', 7, $2)""",
            HOME,
            UNION,
        )
    await run("update-alliance-counts")
    assert await heard.next() == str(UNION)
    await run("update-alliance-counts")
