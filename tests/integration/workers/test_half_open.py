"""The way to the database swallows for a while, in the middle of the feed. Nothing is lost, and nobody has to help.

KILLREPORT_TEST_CHAOS_SWALLOW_SECONDS: for how long (default 1, with shorter limits of our own; by hand 65, with the
product's own, which takes three minutes).
"""

from __future__ import annotations

import asyncio
import os

import pytest

from killreport.config import Settings
from killreport.coordination import single_instance
from killreport.db import connection
from killreport.db.connection import WRITE_SECONDS
from killreport.db.database import Database, open_pool
from killreport.killmail.writing.recount import recount_differences
from killreport.workers import redisq
from tests.cable import cable_to
from tests.integration.workers.packages import package_of
from tests.integration.zkillboard.site import Answer, Site

SWALLOW_SECONDS = float(os.environ.get("KILLREPORT_TEST_CHAOS_SWALLOW_SECONDS", "1"))
IS_LONG = SWALLOW_SECONDS >= 60
PATIENCE_SECONDS = 240 if IS_LONG else 60
KILLS = 60


async def stored(database: Database) -> list[int]:
    async with database.connection() as looking:
        return [row[0] for row in await looking.fetch("select killmail_id from killmail order by 1")]


async def until_stored(database: Database, count: int) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS):
        while len(await stored(database)) < count:  # noqa: ASYNC110 - another connection is what is waited for
            await asyncio.sleep(0.05)


@pytest.mark.chaos
@pytest.mark.timeout(600)
async def test_a_feed_whose_database_is_swallowed_stores_all_once_and_can_be_reloaded(
    quick: Settings, site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not IS_LONG:
        monkeypatch.setattr(single_instance, "LIFE_SECONDS", 0.1)
        monkeypatch.setattr(single_instance, "ANSWER_SECONDS", 0.5)
        monkeypatch.setattr(single_instance, "SILENT_SECONDS", 0.5)
        monkeypatch.setattr(connection, "CONNECT_SECONDS", 2.0)
    at_site = quick.replace(r2z2_url=site.url, esi_url=site.url)
    async with database.connection() as writing:
        await writing.execute("insert into feed_cursor (feed, next_sequence, updated_at) values ('r2z2', 70, now())")

    def publish(first: int, last: int) -> None:
        for place in range(first, last):
            site.answers[f"/ephemeral/{70 + place}.json"] = Answer(package_of(1000 + place))

    async with (
        cable_to(database.url) as cable,
        open_pool(cable.url, 3, redisq.NAME, seconds=WRITE_SECONDS if IS_LONG else 1.0) as behind,
    ):
        publish(0, 20)
        for last in (40, KILLS):  # the second time is the reload: another process's lock must not be in its way
            stop = asyncio.Event()
            worker = asyncio.create_task(redisq.run(at_site, behind, stop=stop))
            await until_stored(database, last - 20)
            cable.swallow()
            publish(last - 20, last)
            await asyncio.sleep(SWALLOW_SECONDS)  # the time itself is what is tested
            cable.spit()
            await until_stored(database, last)
            stop.set()
            async with asyncio.timeout(PATIENCE_SECONDS):
                await worker

    assert await stored(database) == [1000 + place for place in range(KILLS)]
    async with database.connection() as looking:
        told = await looking.fetch("select unnest(killmail_ids) as id from event where kind = 'stored'")
        assert sorted(row["id"] for row in told) == [1000 + place for place in range(KILLS)]
        assert await looking.fetchval("select next_sequence from feed_cursor") == 70 + KILLS
        assert await looking.fetchval("select count(*) from quarantine") == 0
        assert await recount_differences(looking) == []
