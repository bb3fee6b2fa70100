"""Each job queues whom it should, once a run, and twice at the same moment is once."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest

from killreport.config import Settings
from killreport.cron import queueing
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.entity.store import mark_gone, store_entity
from killreport.errors import Unavailable
from killreport.esi.client import open_esi
from killreport.esi.model import EsiCharacter
from killreport.queueing.embedded import EmbeddedBroker
from killreport.queueing.messages import (
    MESSAGE_OF,
    AllianceCorporationsMessage,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
    decode,
)
from killreport.queueing.open import open_broker
from killreport.sim.world.people import FIRST_ALLIANCE_ID, FIRST_CHARACTER_ID, World
from tests.integration.cron.conftest import RunJob

WORLD = World(1)
PILOTS = range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 25)
LONG_AGO = timedelta(days=91)


def pilot(character_id: int, *, corporation_id: int | None = None) -> EsiCharacter:
    """Return a character as the simulator has it, or as one of another corporation."""
    home = WORLD.affiliation(character_id)
    return EsiCharacter(
        name=f"Pilot {character_id}",
        birthday=datetime(2010, 1, 1, tzinfo=UTC),
        corporation_id=corporation_id or home.corporation_id,
        alliance_id=None if corporation_id else home.alliance_id,
        faction_id=None if corporation_id else home.faction_id,
    )


async def store_pilots(
    database: Database, *characters: int, corporation_id: int | None = None, age: timedelta = timedelta()
) -> None:
    async with database.transaction() as connection:
        for character_id in characters:
            character = pilot(character_id, corporation_id=corporation_id)
            await store_entity(EntityKind.CHARACTER, connection, character_id, character, at=datetime.now(UTC) - age)


async def take_messages(settings: Settings, database: Database) -> list[Message]:
    """Return every message that waits in any queue, and leave the queues empty."""
    found: list[Message] = []
    async with open_broker(settings, database) as broker:
        for queue in MESSAGE_OF:
            found += [decode(queue, waiting.body) for waiting in await broker.peek(queue, 100_000)]
            await broker.purge(queue)
    return found


async def asked(url: str) -> Counter[str]:
    async with aiohttp.ClientSession() as session, session.get(f"{url}/control/status") as response:
        return Counter((await response.json())["requests_by_route"])


def as_messages(*ids: int) -> list[Message]:
    return [CharacterMessage(character_id) for character_id in ids]


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let everything be read and published in batches of ten."""
    for function in (queueing.queue_ids, queueing.stored_ids):
        defaults = function.__kwdefaults__
        assert defaults is not None
        monkeypatch.setitem(defaults, "batch", 10)


async def test_all_means_every_character_also_who_is_gone_and_asks_esi_nothing(
    job_settings: Settings, database: Database, run: RunJob, simulator: str, small_batches: None
) -> None:
    await store_pilots(database, *PILOTS)
    async with database.transaction() as connection:
        await mark_gone(connection, EntityKind.CHARACTER, PILOTS[3])
    report = await run("queue-characters", everything=True)

    assert await take_messages(job_settings, database) == as_messages(*PILOTS)
    assert (report.counts, report.sentence) == ({"queued": 25}, "25 characters queued, all there are.")
    assert "/characters/affiliation" not in await asked(simulator)


async def test_only_who_moved_is_stale_or_is_left_out_is_queued(
    job_settings: Settings, database: Database, run: RunJob, simulator: str, small_batches: None
) -> None:
    moved, stale, left_out, same = PILOTS[:5], PILOTS[5:7], 1_234, PILOTS[7:]
    await store_pilots(database, *moved, corporation_id=98_000_001, age=timedelta(hours=1))
    await store_pilots(database, *stale, age=LONG_AGO)
    await store_pilots(database, *same, left_out)
    report = await run("queue-characters")

    assert await take_messages(job_settings, database) == as_messages(left_out, *moved, *stale)
    assert report.counts == {"queued": 8, "characters": 26, "moved": 5, "left_out": 1}
    async with database.connection() as connection:
        rows = await connection.fetch(
            "select character_id, corporation_id from character where character_id = any($1)", [*moved]
        )
        ended = await connection.fetchval("select count(*) from affiliation where until is not null")
    assert {row[0]: row[1] for row in rows} == {
        character_id: WORLD.affiliation(character_id).corporation_id for character_id in moved
    }
    assert ended == 5


async def test_nobody_has_moved_since_when_it_runs_twice(
    job_settings: Settings, database: Database, run: RunJob
) -> None:
    await store_pilots(database, *PILOTS, corporation_id=98_000_001, age=timedelta(hours=1))
    await run("queue-characters")
    assert len(await take_messages(job_settings, database)) == 25
    again = await run("queue-characters")
    assert await take_messages(job_settings, database) == []
    assert again.counts["moved"] == 0


async def test_who_moved_is_found_again_when_the_queue_was_not_to_be_had(
    job_settings: Settings, database: Database, run: RunJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def refuse(*_arguments: object, **_options: object) -> None:
        raise Unavailable("The broker does not answer.")

    await store_pilots(database, *PILOTS, corporation_id=98_000_001, age=timedelta(hours=1))
    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedBroker, "publish_many", refuse)
        with pytest.raises(Unavailable):
            await run("queue-characters")
    report = await run("queue-characters")
    assert report.counts["moved"] == len(await take_messages(job_settings, database)) == 25


async def test_every_alliance_that_esi_lists_is_queued_and_new_ones_are_told(
    job_settings: Settings, database: Database, run: RunJob
) -> None:
    listed = WORLD.alliance_ids()
    async with open_esi(job_settings, database) as esi, database.transaction() as connection:
        await store_entity(
            EntityKind.ALLIANCE, connection, listed[0], await esi.alliance(listed[0]), at=datetime.now(UTC)
        )
    report = await run("queue-alliances")

    assert await take_messages(job_settings, database) == [
        AllianceMessage(alliance_id) for alliance_id in sorted(listed)
    ]
    assert report.counts == {"new": len(listed) - 1, "queued": len(listed)}


async def test_every_stored_alliance_is_queued_for_its_corporations(
    job_settings: Settings, database: Database, run: RunJob
) -> None:
    alliances = [FIRST_ALLIANCE_ID + number for number in range(3)]
    async with open_esi(job_settings, database) as esi, database.transaction() as connection:
        for alliance_id in alliances:
            await store_entity(
                EntityKind.ALLIANCE, connection, alliance_id, await esi.alliance(alliance_id), at=datetime.now(UTC)
            )
        await mark_gone(connection, EntityKind.ALLIANCE, alliances[2])
    await run("queue-alliance-corporations")
    assert await take_messages(job_settings, database) == [
        AllianceCorporationsMessage(alliance_id) for alliance_id in alliances[:2]
    ]
    await run("queue-alliance-corporations", everything=True)
    assert await take_messages(job_settings, database) == [
        AllianceCorporationsMessage(alliance_id) for alliance_id in alliances
    ]


async def test_only_the_missing_corporations_of_players_are_queued(
    job_settings: Settings, database: Database, run: RunJob
) -> None:
    await store_pilots(database, PILOTS[0], PILOTS[1], corporation_id=98_000_001)
    await store_pilots(database, PILOTS[2], corporation_id=98_000_002)
    await store_pilots(database, PILOTS[3], corporation_id=98_600_001)
    await store_pilots(database, PILOTS[4], corporation_id=1_000_125)
    async with open_esi(job_settings, database) as esi, database.transaction() as connection:
        await store_entity(
            EntityKind.CORPORATION, connection, 98_600_001, await esi.corporation(98_600_001), at=datetime.now(UTC)
        )
    report = await run("queue-character-corporations")

    assert await take_messages(job_settings, database) == [
        CorporationMessage(98_000_001),
        CorporationMessage(98_000_002),
    ]
    assert report.sentence == "2 corporations of characters queued, which were not stored."


@pytest.mark.parametrize(
    "name", ["queue-characters", "queue-alliances", "queue-alliance-corporations", "queue-character-corporations"]
)
async def test_twice_at_the_same_moment_is_once(
    job_settings: Settings, database: Database, run: RunJob, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    await store_pilots(database, *PILOTS, corporation_id=98_000_001, age=timedelta(hours=1))
    async with open_esi(job_settings, database) as esi, database.transaction() as connection:
        alliance = await esi.alliance(FIRST_ALLIANCE_ID)
        await store_entity(EntityKind.ALLIANCE, connection, FIRST_ALLIANCE_ID, alliance, at=datetime.now(UTC))
    is_publishing, may_publish = asyncio.Event(), asyncio.Event()
    publish_many = EmbeddedBroker.publish_many

    async def publish_when_allowed(*arguments: Any, **options: Any) -> None:
        is_publishing.set()
        await may_publish.wait()
        await publish_many(*arguments, **options)

    monkeypatch.setattr(EmbeddedBroker, "publish_many", publish_when_allowed)
    first = asyncio.create_task(run(name))
    async with asyncio.timeout(30):
        await is_publishing.wait()
        second = await run(name)
        may_publish.set()
        assert ((await first).status, second.status) == ("succeeded", "skipped")
    assert set(Counter(await take_messages(job_settings, database)).values()) == {1}
