"""Names in bulk before anybody is read by itself, and names that come with an answer that lacks the rest."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.entity.kind import EntityKind
from killreport.queueing.embedded import EmbeddedBroker
from killreport.queueing.messages import CharacterMessage
from killreport.sim.world import names
from killreport.sim.world.people import FIRST_ALLIANCE_ID, FIRST_CHARACTER_ID, FIRST_CORPORATION_ID
from killreport.workers import handover
from killreport.workers.handover import Pace, hand_over, keep_handing_over
from killreport.workers.naming import open_namer
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
from tests.integration.zkillboard.site import Answer, Site

PILOTS = range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + 50)
PILOT, CORPORATION = PILOTS[0], FIRST_CORPORATION_ID
NAMED = "select count(*) from character where name is not null"


@pytest.fixture
def at_sim(settings: Settings, sim: str) -> Settings:
    return settings.replace(esi_url=sim, esi_requests_per_second=5000.0)


async def note(database: Database, kind: EntityKind, ids: Sequence[int]) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into refresh_ledger (entity_kind, entity_id) select $1, unnest($2::bigint[])", int(kind), list(ids)
        )


async def sweep(settings: Settings, database: Database) -> int:
    async with open_namer(settings, database) as namer:
        return await hand_over(database, EmbeddedBroker(database), settings, namer)


async def test_everybody_on_the_ledger_has_a_name_after_one_question(
    at_sim: Settings, sim: str, database: Database
) -> None:
    await note(database, EntityKind.CHARACTER, PILOTS)
    await note(database, EntityKind.CORPORATION, [CORPORATION])
    await note(database, EntityKind.ALLIANCE, [FIRST_ALLIANCE_ID])
    await note(database, EntityKind.SHIP_TYPE, [90_000])
    assert await sweep(at_sim, database) == 53
    assert await requests_by_route(sim) == {"/universe/names": 1}
    assert await fetch(database, "select name from character where character_id = $1", PILOT) == [
        (names.character_name(PILOT),)
    ]
    assert await fetch(database, NAMED) == [(50,)]
    assert await fetch(database, "select name, ticker from corporation") == [
        (names.corporation_name(CORPORATION), None)
    ]
    assert await fetch(database, "select name from alliance") == [(names.alliance_name(FIRST_ALLIANCE_ID),)]
    # The rest of them is read by their workers, and nobody asks for a name twice.
    assert (await ready_counts(at_sim, database))["esi_character_info_queue"] == 50
    await drain(at_sim, database, "worker-characters")
    assert (await requests_by_route(sim))["/universe/names"] == 1
    assert await fetch(database, "select count(*) from character where corporation_id is not null") == [(50,)]


async def test_deleted_pilots_are_named_with_the_others(at_sim: Settings, sim: str, database: Database) -> None:
    await post(sim, "/control/world", {"biomassed": [*PILOTS[:5]]})
    await note(database, EntityKind.CHARACTER, PILOTS)
    await sweep(at_sim, database)
    await drain(at_sim, database, "worker-characters")
    assert await fetch(database, NAMED) == [(50,)]
    assert await fetch(database, "select count(*) from character where gone_at is not null and misses = 1") == [(5,)]
    assert (await requests_by_route(sim))["/universe/names"] == 1


async def test_an_id_that_nobody_knows_has_no_other_wait_for_a_name(
    at_sim: Settings, sim: str, database: Database
) -> None:
    await post(sim, "/control/world", {"gone": [PILOTS[20]]})
    await note(database, EntityKind.CHARACTER, PILOTS)
    await sweep(at_sim, database)
    assert await fetch(database, NAMED) == [(49,)]
    assert (await requests_by_route(sim))["/universe/names"] <= 16


async def test_who_cannot_be_named_is_handed_over_all_the_same(at_sim: Settings, database: Database) -> None:
    await note(database, EntityKind.CHARACTER, PILOTS)
    nowhere = at_sim.replace(esi_url="http://127.0.0.1:9")
    assert await sweep(nowhere, database) == 50
    assert await fetch(database, NAMED) == [(0,)]


async def test_a_sweep_asks_again_for_the_gone_whose_pause_is_over(
    at_sim: Settings, database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(handover, "MAX_GONE", 3)
    async with database.connection() as connection:
        await connection.execute(
            "insert into character (character_id, name, gone_at) select unnest($1::bigint[]), 'Old', now()", [*PILOTS]
        )
    sweeping = asyncio.create_task(keep_handing_over(at_sim, database, asyncio.Event()))
    try:
        await eventually(lambda: ready_counts(at_sim, database))
    finally:
        sweeping.cancel()
    assert await ready_counts(at_sim, database) == {"esi_character_info_queue": 3}
    await drain(at_sim, database, "worker-characters")
    assert await fetch(database, "select count(*) from character where gone_at is null") == [(3,)]


def test_a_pace_says_yes_once_in_its_time() -> None:
    now = 100.0
    pace = Pace(30.0, clock=lambda: now)
    assert [pace.is_due(), pace.is_due()] == [True, False]
    now = 129.9
    assert not pace.is_due()
    now = 130.0
    assert [pace.is_due(), pace.is_due()] == [True, False]


@pytest.mark.parametrize("rest", [{}, {"corporation_id": None}, {"corporation_id": 0}], ids=["none", "null", "zero"])
async def test_a_name_that_came_with_an_incomplete_answer_is_kept(
    settings: Settings, site: Site, database: Database, rest: dict[str, Any]
) -> None:
    here = settings.replace(esi_url=site.url, esi_requests_per_second=5000.0)
    site.answers[f"/characters/{PILOT}"] = Answer(json.dumps({"name": "Ana", **rest}).encode())
    await publish(here, database, CharacterMessage(PILOT))
    await drain(here, database, "worker-characters")
    assert await fetch(database, "select name, corporation_id, gone_at from character") == [("Ana", None, None)]
    (letter,) = await dead_letters(here, database, "esi_character_info_queue")
    assert "corporation_id" in letter.reason
    # It counts as one that was never read.
    assert await fetch(database, "select refreshed_at < now() - $1::interval from character", timedelta(days=9000)) == [
        (True,)
    ]
