"""The workers that fill in characters, corporations, alliances and types, against the simulated ESI."""

from __future__ import annotations

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.queueing.broker import Priority
from killreport.queueing.messages import (
    AllianceCorporationsMessage,
    AllianceMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
    TypeMessage,
)
from killreport.queueing.open import open_broker
from killreport.sim.world import names
from killreport.sim.world.people import FIRST_CHARACTER_ID, World
from tests.integration.workers.lines import Lines
from tests.integration.workers.queues import (
    QUEUE_NAMES,
    dead_letters,
    drain,
    drain_all,
    fetch,
    publish,
    ready_counts,
    requests_by_route,
)

WORLD = World(1)
GARBAGE = (b'{"neither": "this", "nor": that', b"", b"[]", b'{"character_id": -1}', b"\xff\x00")
NPCS: tuple[tuple[EntityKind, int, Message], ...] = (
    (EntityKind.CHARACTER, 3_008_416, CharacterMessage(3_008_416)),
    (EntityKind.CORPORATION, 1_000_125, CorporationMessage(1_000_125)),
    (EntityKind.ALLIANCE, 500_001, AllianceMessage(500_001)),
)


@pytest.fixture
def at_sim(settings: Settings, sim: str) -> Settings:
    return settings.replace(esi_url=sim, zkillboard_url=sim, r2z2_url=sim, esi_requests_per_second=5000.0)


def somebody_in_an_alliance() -> int:
    return next(i for i in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 1000) if WORLD.home_of(i).alliance_id)


async def note(database: Database, kind: EntityKind, entity_id: int) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into refresh_ledger (entity_kind, entity_id) values ($1, $2)", int(kind), entity_id
        )


async def test_a_character_brings_its_corporation_and_alliance_and_everybody_gets_a_name(
    at_sim: Settings, database: Database
) -> None:
    character_id = somebody_in_an_alliance()
    home = WORLD.home_of(character_id)
    await note(database, EntityKind.CHARACTER, character_id)
    await publish(at_sim, database, CharacterMessage(character_id), priority=Priority.PERSON)

    await drain(at_sim, database, "worker-characters")

    assert await fetch(database, "select character_id, name, corporation_id, alliance_id from character") == [
        (character_id, names.character_name(character_id), home.corporation_id, home.alliance_id)
    ]
    assert await ready_counts(at_sim, database) == {"esi_corporation_info_queue": 1, "esi_alliance_info_queue": 1}
    async with open_broker(at_sim, database) as broker:
        (waiting,) = await broker.peek("esi_corporation_info_queue", 10)
    assert waiting.priority is Priority.PERSON

    await drain_all(at_sim, database)

    assert await fetch(database, "select * from refresh_ledger") == []
    assert (home.alliance_id, names.alliance_name(home.alliance_id or 0)) in await fetch(
        database, "select alliance_id, name from alliance"
    )
    assert (home.corporation_id, names.corporation_name(home.corporation_id)) in await fetch(
        database, "select corporation_id, name from corporation"
    )


async def test_entities_of_the_game_itself_leave_the_ledger_without_a_call(
    at_sim: Settings, sim: str, database: Database
) -> None:
    for kind, entity_id, message in NPCS:
        await note(database, kind, entity_id)
        await publish(at_sim, database, message)
    await publish(at_sim, database, AllianceCorporationsMessage(500_001))

    await drain_all(at_sim, database)

    assert await requests_by_route(sim) == {}
    assert await fetch(database, "select * from refresh_ledger") == []
    assert [len(await dead_letters(at_sim, database, queue)) for queue in QUEUE_NAMES] == [0] * len(QUEUE_NAMES)


async def test_a_character_of_an_npc_corporation_queues_no_corporation(at_sim: Settings, database: Database) -> None:
    newcomer = next(
        i for i in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 40_000) if WORLD.home_of(i).corporation_id < 2_000_000
    )
    await publish(at_sim, database, CharacterMessage(newcomer))

    await drain(at_sim, database, "worker-characters")

    assert await ready_counts(at_sim, database) == {}


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (EntityKind.CHARACTER, CharacterMessage(5_000_000)),
        (EntityKind.CORPORATION, CorporationMessage(5_000_000)),
        (EntityKind.ALLIANCE, AllianceMessage(5_000_000)),
    ],
    ids=lambda value: value.name if isinstance(value, EntityKind) else "",
)
async def test_an_entity_that_esi_does_not_have_is_done_with(
    at_sim: Settings, database: Database, kind: EntityKind, message: Message
) -> None:
    await note(database, kind, 5_000_000)
    await publish(at_sim, database, message)

    await drain_all(at_sim, database)

    assert await fetch(database, "select * from refresh_ledger") == []
    assert [await dead_letters(at_sim, database, queue) for queue in QUEUE_NAMES] == [[]] * len(QUEUE_NAMES)


async def test_every_corporation_of_an_alliance_is_queued(at_sim: Settings, database: Database) -> None:
    alliance_id = max(WORLD.alliance_ids(), key=lambda i: len(WORLD.alliance_corporations(i)))
    await publish(at_sim, database, AllianceCorporationsMessage(alliance_id))

    await drain(at_sim, database, "worker-alliance-corporations")

    corporations = [i for i in WORLD.alliance_corporations(alliance_id) if i >= 2_000_000]
    assert await ready_counts(at_sim, database) == {"esi_corporation_info_queue": len(corporations)}


async def test_a_type_that_the_static_data_lacks_is_filled_in_with_its_group_and_category(
    at_sim: Settings, database: Database
) -> None:
    async with database.connection() as connection:
        rifter = await connection.fetchrow("delete from eve_type where type_id = 587 returning *")
        await connection.execute("delete from eve_group where group_id = $1", rifter["group_id"])
        await connection.execute("delete from eve_category where category_id = $1", rifter["category_id"])
    await publish(at_sim, database, TypeMessage(587), TypeMessage(588))

    await drain(at_sim, database, "worker-types")

    assert await fetch(
        database,
        """select type_id, eve_type.name, eve_group.name, eve_category.name
           from eve_type join eve_group using (group_id) join type_detail using (type_id)
           join eve_category on eve_category.category_id = eve_group.category_id order by 1""",
    ) == [(587, "Rifter", "Frigate", "Ship"), (588, "Reaper", "Corvette", "Ship")]


async def test_a_type_that_esi_does_not_have_is_done_with(at_sim: Settings, database: Database) -> None:
    await note(database, EntityKind.SHIP_TYPE, 2_000_000_000)
    await publish(at_sim, database, TypeMessage(2_000_000_000))

    await drain(at_sim, database, "worker-types")

    assert await fetch(database, "select * from refresh_ledger") == []
    assert await dead_letters(at_sim, database, "esi_type_info_queue") == []


async def test_garbage_on_every_queue_is_a_dead_letter_with_the_reason_and_the_worker_goes_on(
    at_sim: Settings, database: Database, lines: Lines
) -> None:
    async with open_broker(at_sim, database) as broker:
        for queue in QUEUE_NAMES:
            await broker.publish_bodies(queue, GARBAGE)
    await publish(at_sim, database, CharacterMessage(FIRST_CHARACTER_ID))

    await drain_all(at_sim, database)

    for queue in QUEUE_NAMES:
        letters = await dead_letters(at_sim, database, queue)
        assert sorted(letter.body for letter in letters) == sorted(GARBAGE)
        assert all(letter.reason.startswith("Malformed: ") for letter in letters)
    assert await fetch(database, "select character_id from character where character_id = $1", FIRST_CHARACTER_ID)
