"""worker-zkillboard: a character's whole history, page by page, against lists that answer from a table."""

from __future__ import annotations

import asyncio
import json
import signal
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.killmail.writing.recount import recount_differences
from killreport.queueing import handling
from killreport.queueing.broker import Priority
from killreport.queueing.messages import CharacterHistoryMessage
from killreport.queueing.open import open_broker
from killreport.sim.server import run_simulator
from killreport.sim.zkillboard import lists as zkb_api
from killreport.workers import zkillboard
from killreport.workers.storing import store_entries
from killreport.zkillboard.character_list import ENDPOINT, LAST_PAGE
from killreport.zkillboard.character_progress import note_page
from tests.integration.workers.lines import Lines
from tests.integration.workers.packages import hash_of, killmail
from tests.integration.workers.queues import (
    dead_letters,
    drain,
    eventually,
    fetch,
    post,
    process,
    publish,
    ready_counts,
)
from tests.integration.workers.simulated import busiest, published
from tests.integration.zkillboard.site import Answer, Site

NAME = "worker-zkillboard"
QUEUE = "zkillboard_character_queue"
PILOT = 2112000001


@pytest.fixture
def at_site(settings: Settings, site: Site) -> Settings:
    return settings.replace(
        zkillboard_url=site.url, esi_url=site.url, zkillboard_seconds=0.001, esi_requests_per_second=5000.0
    )


def path_of(page: int) -> str:
    return f"/api/characterID/{PILOT}/page/{page}/"


def whole(mail_id: int) -> dict[str, Any]:
    return {**killmail(mail_id), "zkb": {"hash": hash_of(mail_id), "locationID": 50000001, "labels": ["ganked"]}}


def bare(mail_id: int) -> dict[str, Any]:
    return {"killmail_id": mail_id, "zkb": {"hash": hash_of(mail_id)}}


def serve(site: Site, *pages: list[Any]) -> None:
    """Answer these pages, and an empty one after them."""
    for page, elements in enumerate([*pages, []], start=1):
        site.answers[path_of(page)] = Answer(json.dumps(elements).encode())


def asked(site: Site) -> list[str]:
    return [request.path for request in site.asked]


async def stored(database: Database) -> list[int]:
    return [row[0] for row in await fetch(database, "select killmail_id from killmail order by 1")]


async def test_pages_are_stored_until_an_empty_one(at_site: Settings, site: Site, database: Database) -> None:
    serve(site, [whole(14), whole(13)], [whole(12), whole(11)], [whole(10)])
    await publish(at_site, database, CharacterHistoryMessage(PILOT))

    await drain(at_site, database, NAME)

    assert asked(site) == [path_of(page) for page in (1, 2, 3, 4)]
    statement = (
        "select killmail_id, source, location_id, label_names(labels, ship_category_id) @> '{ganked}' from killmail"
    )
    assert await fetch(database, statement) == [
        (mail_id, "zkillboard", 50000001, True) for mail_id in (13, 14, 11, 12, 10)
    ]
    assert await fetch(database, "select character_id, page, finished_at is not null from character_history") == [
        (PILOT, 4, True)
    ]
    assert await ready_counts(at_site, database) == {}
    assert await fetch(database, "select distinct kind from event") == [("history",)]


async def test_a_list_without_bodies_has_only_what_is_missing_read_from_esi(
    at_site: Settings, site: Site, database: Database
) -> None:
    serve(site, [whole(12)], [bare(12), bare(11), bare(10)])
    for mail_id in (10, 11):
        site.answers[f"/killmails/{mail_id}/{hash_of(mail_id)}"] = Answer(json.dumps(killmail(mail_id)).encode())
    await publish(at_site, database, CharacterHistoryMessage(PILOT))

    await drain(at_site, database, NAME)

    assert await stored(database) == [10, 11, 12]
    assert sorted(path for path in asked(site) if path.startswith("/killmails/")) == [
        f"/killmails/{mail_id}/{hash_of(mail_id)}" for mail_id in (10, 11)
    ]
    assert await fetch(database, "select distinct kind from event") == [("history",)]


async def test_what_cannot_be_read_is_quarantined_and_the_walk_goes_on(
    at_site: Settings, site: Site, database: Database
) -> None:
    half = {"killmail_id": 13, "victim": {}, "zkb": {"hash": hash_of(13)}}
    wrong = {**whole(14), "zkb": {"hash": "ab" * 20}}
    serve(site, [17, half, wrong, whole(15)], [bare(16)], [whole(10)])
    site.answers[f"/killmails/16/{hash_of(16)}"] = Answer(b'{"error": "Invalid killmail_hash"}', status=422)
    await publish(at_site, database, CharacterHistoryMessage(PILOT))

    await drain(at_site, database, NAME)

    assert await stored(database) == [10, 15]
    quarantined = await fetch(database, "select killmail_id, source from quarantine order by killmail_id nulls first")
    assert quarantined == [(None, "zkillboard"), *((mail_id, "zkillboard") for mail_id in (13, 14, 16))]
    assert await dead_letters(at_site, database, QUEUE) == []


async def test_a_page_that_is_delivered_again_begins_no_second_walk(
    at_site: Settings, site: Site, database: Database
) -> None:
    serve(site, [whole(12)], [whole(11)], [whole(10)])
    second = CharacterHistoryMessage(PILOT, 2)
    async with database.connection() as connection:
        await note_page(connection, PILOT, 1, is_last=False)
    await publish(at_site, database, second, second, second)

    await drain(at_site, database, NAME)

    assert asked(site) == [path_of(page) for page in (2, 3, 4)]


async def test_a_history_asked_for_again_is_walked_again(at_site: Settings, site: Site, database: Database) -> None:
    serve(site, [whole(12)], [whole(11)])
    for _ in range(2):
        await publish(at_site, database, CharacterHistoryMessage(PILOT))
        await drain(at_site, database, NAME)

    assert asked(site) == [path_of(page) for page in (1, 2, 3)] * 2
    assert await stored(database) == [11, 12]


async def test_the_pages_that_follow_keep_the_priority_of_who_asked(
    at_site: Settings, site: Site, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(site, [whole(12)], [whole(11)])
    stop = asyncio.Event()

    async def store_and_stop(*arguments: Any) -> Any:
        stop.set()
        return await store_entries(*arguments)

    monkeypatch.setattr(zkillboard, "store_entries", store_and_stop)
    await publish(at_site, database, CharacterHistoryMessage(PILOT), priority=Priority.PERSON)
    await zkillboard.run(at_site, database, stop=stop)

    async with open_broker(at_site, database) as broker:
        waiting = await broker.peek(QUEUE, 10)
    assert [(entry.body, entry.priority) for entry in waiting] == [
        (b'{"character_id":2112000001,"page":2}', Priority.PERSON)
    ]


async def test_the_last_page_the_host_gives_ends_the_walk_and_says_so(
    at_site: Settings, site: Site, database: Database, lines: Lines
) -> None:
    site.answers[path_of(LAST_PAGE)] = Answer(json.dumps([whole(10)]).encode())
    await publish(at_site, database, CharacterHistoryMessage(PILOT, LAST_PAGE))
    await publish(at_site, database, CharacterHistoryMessage(PILOT, LAST_PAGE + 1))

    await drain(at_site, database, NAME)

    assert asked(site) == [path_of(LAST_PAGE)]
    assert [line["character_id"] for line in lines.of("history_cut")] == [PILOT]
    assert [letter.reason for letter in await dead_letters(at_site, database, QUEUE)] == [
        "Permanent: zKillboard lists 100 pages at most, this asks for page 101. (attempt 1 of 12)"
    ]


@pytest.fixture
def _soon_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(handling, "BACK_DELAY", timedelta(seconds=0.1))
    monkeypatch.setattr(handling, "MAX_BACK_DELAY", timedelta(seconds=0.1))


@pytest.mark.usefixtures("_soon_back")
@pytest.mark.parametrize(
    ("refusal", "seconds"),
    [(Answer(status=429, headers={"Retry-After": "600"}), 600), (Answer(status=403), 3600)],
    ids=["too many requests", "banned"],
)
async def test_a_host_that_wants_to_be_left_alone_is_by_every_process(
    at_site: Settings,
    site: Site,
    database: Database,
    refusal: Answer,
    seconds: int,
) -> None:
    site.answers[path_of(1)] = refusal
    await publish(at_site, database, CharacterHistoryMessage(PILOT))
    await drain(at_site, database, NAME)
    await publish(at_site, database, CharacterHistoryMessage(PILOT + 1))
    await drain(at_site, database, NAME)

    assert len(site.asked) == 1
    ((pause,),) = await fetch(
        database, "select extract(epoch from free_at - now())::int from request_turn where endpoint = $1", ENDPOINT
    )
    assert pause == pytest.approx(seconds, abs=60)
    assert await ready_counts(at_site, database) == {QUEUE: 2}
    assert await dead_letters(at_site, database, QUEUE) == []


async def test_a_worker_told_to_stop_does_not_wait_for_its_turn(
    at_site: Settings, site: Site, database: Database, lines: Lines
) -> None:
    serve(site, [whole(10)])
    stop = asyncio.Event()
    slow = at_site.replace(zkillboard_seconds=3600.0)
    await publish(at_site, database, CharacterHistoryMessage(PILOT))
    working = asyncio.create_task(zkillboard.run(slow, database, stop=stop))
    await lines.wait_for("history_page_stored")
    # The second page is in hand once it has taken a turn, which comes in an hour.
    await eventually(
        lambda: fetch(database, "select 1 from request_turn where free_at > now() + interval '90 minutes'")
    )
    stop.set()
    async with asyncio.timeout(20):
        await working

    assert asked(site) == [path_of(1)]
    assert await ready_counts(at_site, database) == {QUEUE: 1}


async def test_a_history_of_many_pages_survives_kills(
    settings: Settings,
    database: Database,
    universe: Universe,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(zkb_api, "_PAGE_SIZE", 3)
    async with run_simulator(tmp_path / "sim", universe=universe, seed=1) as url:
        await post(url, "/control/publish", {"count": 600})
        character_id, expected = busiest(await published(url))
        at_sim = settings.replace(zkillboard_url=url, esi_url=url, zkillboard_seconds=0.05)
        await publish(at_sim, database, CharacterHistoryMessage(character_id))
        for _ in range(3):
            async with process(at_sim, NAME) as worker:
                await _lines_until(worker, "history_page_stored", 2)
                worker.send_signal(signal.SIGKILL)
        async with process(at_sim, NAME, "--once") as worker:
            assert await asyncio.wait_for(_ended(worker), 60) == 0

    assert set(await stored(database)) == set(expected)
    assert len(expected) > 12
    async with database.connection() as connection:
        assert await recount_differences(connection) == []
    assert await fetch(database, "select finished_at is not null from character_history") == [(True,)]
    assert await ready_counts(settings, database) == {}
    assert await dead_letters(settings, database, QUEUE) == []


async def _lines_until(worker: asyncio.subprocess.Process, event: str, count: int) -> None:
    assert worker.stdout is not None
    async with asyncio.timeout(60):
        while count:
            line = await worker.stdout.readline()
            assert line, "the worker ended by itself"
            count -= event.encode() in line


async def _ended(worker: asyncio.subprocess.Process) -> int:
    await worker.communicate()
    assert worker.returncode is not None
    return worker.returncode
