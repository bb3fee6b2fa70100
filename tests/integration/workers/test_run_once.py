"""Every worker as the process an operator starts: `killreport run NAME --once` empties its queue and ends."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.fleet.table import FLEET
from killreport.queueing.messages import (
    AllianceCorporationsMessage,
    AllianceMessage,
    CharacterHistoryMessage,
    CharacterMessage,
    CorporationMessage,
    Message,
    TypeMessage,
    UserKillmailsMessage,
)
from killreport.sim.server import run_simulator
from killreport.sim.world.journal import FIRST_SEQUENCE
from killreport.sim.world.people import FIRST_ALLIANCE_ID, FIRST_CHARACTER_ID, FIRST_CORPORATION_ID
from tests.conftest import REQUIRES_SERVICES
from tests.integration.queueing.conftest import virtual_host  # noqa: F401 - a fixture
from tests.integration.workers.queues import fetch, post, process, publish, ready_counts

WORKERS = [row.name for row in FLEET if row.kind == "worker"]
GIVEN: dict[str, Message] = {
    "worker-characters": CharacterMessage(FIRST_CHARACTER_ID),
    "worker-corporations": CorporationMessage(FIRST_CORPORATION_ID),
    "worker-alliances": AllianceMessage(FIRST_ALLIANCE_ID),
    "worker-alliance-corporations": AllianceCorporationsMessage(FIRST_ALLIANCE_ID),
    "worker-types": TypeMessage(587),
    "worker-zkillboard": CharacterHistoryMessage(FIRST_CHARACTER_ID),
    "worker-user-killmails": UserKillmailsMessage(1),
}
EFFECT = {
    "worker-redisq": "select count(*) = 5 from killmail",
    "worker-characters": f"select name is not null from character where character_id = {FIRST_CHARACTER_ID}",
    "worker-corporations": f"select name is not null from corporation where corporation_id = {FIRST_CORPORATION_ID}",
    "worker-alliances": f"select name is not null from alliance where alliance_id = {FIRST_ALLIANCE_ID}",
    "worker-alliance-corporations": "select count(*) > 0 from queue_message where queue = 'esi_corporation_info_queue'",
    "worker-types": "select volume is not null from type_detail where type_id = 587",
    "worker-zkillboard": "select finished_at is not null from character_history",
    "worker-user-killmails": "select reason like 'Permanent: This installation has no login%' from dead_letter",
}


@pytest.fixture
async def at_sim(settings: Settings, database: Database, tmp_path: Path, universe: Universe) -> AsyncIterator[Settings]:
    async with run_simulator(tmp_path / "sim", universe=universe, seed=1) as url:
        await post(url, "/control/publish", {"count": 5})
        async with database.connection() as connection:
            await connection.execute("insert into feed_cursor values ('r2z2', $1)", FIRST_SEQUENCE)
        yield settings.replace(
            **dict.fromkeys(("r2z2_url", "esi_url", "zkillboard_url"), url),
            zkillboard_seconds=0.01,
            feed_requests_per_second=1000.0,
        )


@pytest.mark.parametrize("name", WORKERS)
async def test_a_worker_run_once_does_what_waits_and_ends_well(at_sim: Settings, database: Database, name: str) -> None:
    if name in GIVEN:
        await publish(at_sim, database, GIVEN[name])

    async with process(at_sim, name, "--once") as worker, asyncio.timeout(60):
        log, _ = await worker.communicate()

    assert worker.returncode == 0, log.decode()
    assert await fetch(database, EFFECT[name]) == [(True,)]
    assert await fetch(database, "select process, handled + failed > 0 from heartbeat") == [(name, True)]


@pytest.mark.skipif(
    "KILLREPORT_TEST_BROKER_URL" not in os.environ and not REQUIRES_SERVICES,
    reason="KILLREPORT_TEST_BROKER_URL names no RabbitMQ",
)
async def test_a_worker_over_rabbitmq_does_what_waits_and_ends_well(
    at_sim: Settings,
    database: Database,
    virtual_host: str | None,  # noqa: F811
) -> None:
    if virtual_host is None:
        pytest.skip("rabbitmqctl is not installed")
    with_rabbit = at_sim.model_copy(update={"broker_url": SecretStr(virtual_host)})
    await publish(with_rabbit, database, *(CharacterMessage(FIRST_CHARACTER_ID + place) for place in range(30)))
    async with process(with_rabbit, "worker-characters", "--once") as worker, asyncio.timeout(60):
        log, _ = await worker.communicate()
    left = await ready_counts(with_rabbit, database)

    assert worker.returncode == 0, log.decode()
    assert await fetch(database, "select count(*) from character where name is not null") == [(30,)]
    assert "esi_character_info_queue" not in left
    assert left["esi_corporation_info_queue"] > 0


async def test_a_worker_told_to_stop_ends_well(at_sim: Settings, database: Database) -> None:
    await publish(at_sim, database, CharacterMessage(FIRST_CHARACTER_ID))
    async with process(at_sim, "worker-characters") as worker, asyncio.timeout(60):
        assert worker.stdout is not None
        while b"worker_ready" not in await worker.stdout.readline():
            assert worker.returncode is None
        worker.send_signal(signal.SIGTERM)
        log, _ = await worker.communicate()

    assert worker.returncode == 0, log.decode()
