"""What worker-redisq does after each commit, beside the feed, and how it ends by itself with `once`."""

from __future__ import annotations

import asyncio
import json

import pytest
from pydantic import SecretStr

from killreport.config import Settings
from killreport.coordination.events import open_events
from killreport.coordination.heartbeats import list_heartbeats
from killreport.db.database import Database
from killreport.errors import Unavailable
from killreport.workers import redisq
from killreport.workers.delivery import DeliveryKeeper
from tests.integration.workers.conftest import RunWorker
from tests.integration.workers.lines import Lines
from tests.integration.workers.packages import hash_of, killmail, package_of
from tests.integration.workers.queues import fetch, ready_counts
from tests.integration.zkillboard.site import Answer, Site

EVERYBODY = {"esi_character_info_queue": 2, "esi_corporation_info_queue": 2}


@pytest.fixture
async def at_site(quick: Settings, site: Site, database: Database) -> Settings:
    async with database.connection() as connection:
        await connection.execute("insert into feed_cursor (feed, next_sequence) values ('r2z2', 70)")
    return quick.replace(r2z2_url=site.url, redisq_url=site.url, esi_url=site.url)


def publish(site: Site, *mail_ids: int, first: int = 70) -> None:
    for place, mail_id in enumerate(mail_ids):
        site.answers[f"/ephemeral/{first + place}.json"] = Answer(package_of(mail_id))


async def test_whom_a_stored_killmail_names_is_queued_beside_the_feed(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    publish(site, 10, 11, 12)
    async with run_worker(at_site):
        await lines.wait_for("killmail_stored", 3)
        await lines.wait_for("entities_queued")

    assert await ready_counts(at_site, database) == EVERYBODY


async def test_open_pages_are_told_of_each_event(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker
) -> None:
    async with open_events(at_site, database) as events:
        told = events.subscribe("killmail")
        assert await anext(told) == ""
        publish(site, 10, 11)
        async with run_worker(at_site), asyncio.timeout(30):
            payloads = [await anext(told) for _ in range(2)]
        await told.aclose()

    assert [(int(payload),) for payload in payloads] == await fetch(database, "select event_id from event order by 1")


async def test_a_broker_that_is_away_holds_no_killmail_up(
    at_site: Settings, site: Site, database: Database, run_worker: RunWorker, lines: Lines
) -> None:
    publish(site, 10, 11, 12)
    nowhere = at_site.model_copy(
        update={"broker_url": SecretStr("amqp://127.0.0.1:1/"), "redis_url": SecretStr("redis://127.0.0.1:1/0")}
    )
    async with run_worker(nowhere):
        await lines.wait_for("killmail_stored", 3)

    assert await fetch(database, "select count(*) from refresh_ledger where queued_at is null") == [(4,)]
    assert await ready_counts(at_site, database) == {}


async def test_once_ends_when_the_feed_has_nothing_new_and_hands_over_first(
    at_site: Settings, site: Site, database: Database
) -> None:
    publish(site, 10, 11, 12)
    async with asyncio.timeout(30):
        await redisq.run(at_site, database, stop=asyncio.Event(), once=True)

    assert await fetch(database, "select killmail_id from killmail order by 1") == [(10,), (11,), (12,)]
    assert await fetch(database, "select next_sequence from feed_cursor") == [(73,)]
    assert await ready_counts(at_site, database) == EVERYBODY


async def test_once_with_a_redisq_shaped_feed_ends_at_the_first_empty_package(
    at_site: Settings, site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = json.dumps({"package": {"killID": 10, "killmail": killmail(10), "zkb": {"hash": hash_of(10)}}}).encode()
    site.answers["/listen.php"] = Answer(full)
    stored = DeliveryKeeper.keep

    async def keep_and_empty(*arguments: object) -> bool:
        site.answers["/listen.php"] = Answer(b'{"package": null}')
        return await stored(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(DeliveryKeeper, "keep", keep_and_empty)
    async with asyncio.timeout(30):
        await redisq.run(at_site.replace(feed="redisq"), database, stop=asyncio.Event(), once=True)

    assert await fetch(database, "select killmail_id from killmail") == [(10,)]
    assert await ready_counts(at_site, database) == EVERYBODY


async def test_once_says_so_when_the_queues_do_not_take_what_is_to_be_handed_over(
    at_site: Settings, site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_arguments: object) -> int:
        raise Unavailable("The queues are away.")

    monkeypatch.setattr(redisq, "hand_over", fail)
    publish(site, 10)

    with pytest.raises(Unavailable, match="The queues are away"):
        await redisq.run(at_site, database, stop=asyncio.Event(), once=True)
    assert await fetch(database, "select killmail_id from killmail") == [(10,)]


async def test_the_heartbeat_counts_what_was_stored_and_what_was_quarantined(
    at_site: Settings, site: Site, database: Database
) -> None:
    publish(site, 10, 11)
    site.answers["/ephemeral/72.json"] = Answer(package_of(12, hash="ab" * 20))
    async with asyncio.timeout(30):
        await redisq.run(at_site, database, stop=asyncio.Event(), once=True)

    async with database.connection() as connection:
        (heartbeat,) = await list_heartbeats(connection)
    assert (heartbeat.process, heartbeat.handled, heartbeat.failed) == ("worker-redisq", 2, 1)
