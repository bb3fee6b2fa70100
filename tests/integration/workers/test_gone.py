"""A 404 is no death: an outage makes nobody gone, and who is gone comes back when ESI has them again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from killreport.config import Settings
from killreport.cron.running import run_job
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import mark_gone, store_entity
from killreport.errors import HostAway
from killreport.esi.client import open_esi
from killreport.esi.model import EsiAlliance, EsiCharacter, EsiCorporation
from killreport.queueing import handling
from killreport.queueing.messages import (
    QUEUE_OF,
    AllianceCorporationsMessage,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
)
from killreport.queueing.open import open_broker
from killreport.sim.world import names
from killreport.sim.world.people import FIRST_ALLIANCE_ID, FIRST_CHARACTER_ID, FIRST_CORPORATION_ID
from killreport.workers import entities
from tests.integration.workers.queues import (
    dead_letters,
    drain,
    eventually,
    fetch,
    post,
    publish,
    ready_counts,
    requests_by_route,
)

COUNT = 64
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
PILOT = FIRST_CHARACTER_ID
Run = Callable[..., Coroutine[Any, Any, None]]
KINDS: dict[str, tuple[Run, int, Callable[[int], Message]]] = {
    "character": (entities.characters, FIRST_CHARACTER_ID, CharacterMessage),
    "corporation": (entities.corporations, FIRST_CORPORATION_ID, CorporationMessage),
    "alliance": (entities.alliances, FIRST_ALLIANCE_ID, AllianceMessage),
}


@pytest.fixture
def at_sim(settings: Settings, sim: str) -> Settings:
    return settings.replace(esi_url=sim, esi_requests_per_second=5000.0)


@pytest.fixture(autouse=True)
def soon_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have messages that wait for an outage's end come back soon."""
    monkeypatch.setattr(handling, "BACK_DELAY", timedelta(seconds=0.2))
    monkeypatch.setattr(handling, "MAX_BACK_DELAY", timedelta(seconds=1))


async def set_rules(url: str, *rules: dict[str, object]) -> None:
    async with aiohttp.ClientSession() as session, session.put(f"{url}/control/rules", json=rules) as response:
        assert response.status < 300


def away(where: str) -> dict[str, object]:
    return {"where": where, "error_rate": 1, "statuses": [404]}


async def store_all(database: Database, table: str, ids: range) -> None:
    """Store entities as they were long ago, each with a name."""
    async with database.transaction() as connection:
        for number in ids:
            name = f"Old {number}"
            match table:
                case "character":
                    pilot = EsiCharacter(name=name, corporation_id=FIRST_CORPORATION_ID)
                    await store_entity(EntityKind.CHARACTER, connection, number, pilot, at=LONG_AGO)
                case "corporation":
                    await store_entity(
                        EntityKind.CORPORATION, connection, number, EsiCorporation(name=name, ticker="OLD"), at=LONG_AGO
                    )
                case _:
                    await store_entity(
                        EntityKind.ALLIANCE, connection, number, EsiAlliance(name=name, ticker="OLD"), at=LONG_AGO
                    )


@asynccontextmanager
async def running(run: Run, settings: Settings, database: Database) -> AsyncIterator[None]:
    """Run a worker beside the block."""
    stop = asyncio.Event()
    task = asyncio.create_task(run(settings, database, stop=stop))
    try:
        yield
    finally:
        stop.set()
        await task


@pytest.mark.parametrize("table", KINDS)
async def test_an_outage_of_404s_makes_nobody_gone_and_afterwards_all_are_read(
    at_sim: Settings, sim: str, database: Database, table: str
) -> None:
    run, first, message = KINDS[table]
    ids = range(first, first + COUNT)
    await store_all(database, table, ids)
    await set_rules(sim, away(f"/{table}s/*"))
    await publish(at_sim, database, *(message(number) for number in ids))
    async with running(run, at_sim, database):
        await eventually(lambda: fetch(database, "select from esi_pause where scope like 'missing %'"))
        await asyncio.sleep(2)
        assert await fetch(database, f"select from {table} where gone_at is not null") == []
        asked = (await requests_by_route(sim))[f"/{table}s/{{id}}"]
        await set_rules(sim)

        async def is_read() -> bool:
            query = f"select from {table} where refreshed_at > $1 and name not like 'Old %' and gone_at is null"
            return len(await fetch(database, query, LONG_AGO + timedelta(days=1))) >= COUNT

        await eventually(is_read)
    assert asked <= 30
    assert await dead_letters(at_sim, database, f"esi_{table}_info_queue") == []


async def test_a_job_s_run_in_an_outage_ends_and_the_next_one_reads_everybody(
    at_sim: Settings, sim: str, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.undo()  # messages come back as late as they do
    await store_all(database, "character", range(PILOT, PILOT + COUNT))
    for is_away in (True, False):
        await set_rules(sim, *([away("/characters/*")] if is_away else []))
        await run_job("queue-characters", at_sim, database, stop=asyncio.Event(), everything=True)
        await drain(at_sim, database, "worker-characters")
        assert await fetch(database, "select from character where gone_at is not null") == []
        if is_away:
            assert (await ready_counts(at_sim, database))["esi_character_info_queue"] == COUNT
    assert await fetch(database, "select count(*) from character where name not like 'Old %'") == [(COUNT,)]


async def test_all_of_those_that_were_taken_for_gone_come_back_when_everybody_is_asked_for(
    at_sim: Settings, database: Database
) -> None:
    pilots = range(PILOT, PILOT + COUNT)
    await store_all(database, "character", pilots)
    async with database.transaction() as connection:
        for pilot in pilots:
            await mark_gone(connection, EntityKind.CHARACTER, pilot)
    await run_job("queue-characters", at_sim, database, stop=asyncio.Event(), everything=True)
    await drain(at_sim, database, "worker-characters")
    assert await fetch(
        database, "select count(*) from character where gone_at is null and misses = 0 and ask_again_at is null"
    ) == [(COUNT,)]


async def test_an_outage_of_affiliations_costs_few_requests(at_sim: Settings, sim: str, database: Database) -> None:
    await store_all(database, "character", range(PILOT, PILOT + COUNT))
    await set_rules(sim, away("/characters/*"))
    await run_job("queue-characters", at_sim, database, stop=asyncio.Event())
    assert (await requests_by_route(sim))["/characters/affiliation"] <= 10
    assert await ready_counts(at_sim, database) == {"esi_character_info_queue": COUNT}


async def test_a_deleted_pilot_has_the_name_that_is_still_told_and_is_nowhere(
    at_sim: Settings, sim: str, database: Database
) -> None:
    await post(sim, "/control/world", {"biomassed": [PILOT]})
    await publish(at_sim, database, CharacterMessage(PILOT))
    await drain(at_sim, database, "worker-characters")
    assert await fetch(database, "select name, gone_at is null, misses from character") == [
        (names.character_name(PILOT), False, 1)
    ]


async def test_one_that_nothing_is_known_of_anywhere_is_gone_without_a_name(
    at_sim: Settings, sim: str, database: Database
) -> None:
    await post(sim, "/control/world", {"gone": [PILOT]})
    await publish(at_sim, database, CharacterMessage(PILOT))
    await drain(at_sim, database, "worker-characters")
    assert await fetch(database, "select name, gone_at is null from character") == [(None, False)]


async def test_a_gone_alliance_s_list_is_no_word_about_the_alliance(
    at_sim: Settings, sim: str, database: Database
) -> None:
    await store_all(database, "alliance", range(FIRST_ALLIANCE_ID, FIRST_ALLIANCE_ID + 1))
    await set_rules(sim, away("/alliances/*/corporations"))
    await publish(at_sim, database, AllianceCorporationsMessage(FIRST_ALLIANCE_ID))
    await drain(at_sim, database, "worker-alliance-corporations")
    assert await fetch(database, "select gone_at from alliance") == [(None,)]
    async with open_broker(at_sim, database) as broker:
        waiting = await broker.peek(QUEUE_OF[AllianceMessage], 10)
    assert [one.body for one in waiting] == [b'{"alliance_id":%d}' % FIRST_ALLIANCE_ID]


async def test_a_killmail_that_esi_does_not_give_in_an_outage_is_not_put_aside(
    at_sim: Settings, sim: str, database: Database
) -> None:
    published = await post(sim, "/control/publish", {"count": 2})
    assert published
    async with aiohttp.ClientSession() as session:
        mails = []
        for sequence in (published["head"] - 1, published["head"]):
            async with session.get(f"{sim}/ephemeral/{sequence}.json") as response:
                mails.append(await response.json())
    async with open_esi(at_sim, database) as esi:
        await esi.killmail(mails[0]["killmail_id"], mails[0]["hash"])
        await set_rules(sim, away("/killmails/*"))
        with pytest.raises(HostAway):
            await esi.killmail(mails[1]["killmail_id"], mails[1]["hash"])
