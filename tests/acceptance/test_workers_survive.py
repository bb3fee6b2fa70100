"""The whole way of a killmail under fire: ESI fails, workers are killed, the broker goes away. Nothing is lost.

KILLREPORT_TEST_CHAOS_MAILS: how many killmails (default 120; by hand 5000), real ones where the real data is.
KILLREPORT_TEST_CHAOS_KILLS: how many kill -9 of random workers (default 4; by hand 20).
KILLREPORT_TEST_CHAOS_BROKER_SECONDS: how long the broker is away (default 2; by hand 20).
KILLREPORT_TEST_CHAOS_SEED: repeats a run's choices (default 1).
"""

from __future__ import annotations

import asyncio
import itertools
import os
import random
import shutil
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import msgspec
import pytest
from pydantic import SecretStr

from killreport.config import Settings
from killreport.db.database import Database
from killreport.environment import child_environment
from killreport.eve.load import keep_packaged_universe
from killreport.fleet.table import QUEUES
from killreport.killmail.mail.archive import read_records
from killreport.killmail.writing.recount import recount_differences
from killreport.queueing.broker import Broker
from killreport.queueing.open import open_broker
from killreport.sim.server import run_simulator
from killreport.sim.world.journal import FIRST_SEQUENCE
from tests.acceptance.fleets import Workers, run_workers
from tests.conftest import DATA
from tests.integration.queueing.node import own_node

pytestmark = pytest.mark.fleet

MAILS = int(os.environ.get("KILLREPORT_TEST_CHAOS_MAILS", "120"))
KILLS = int(os.environ.get("KILLREPORT_TEST_CHAOS_KILLS", "4"))
BROKER_SECONDS = float(os.environ.get("KILLREPORT_TEST_CHAOS_BROKER_SECONDS", "2"))
SEED = int(os.environ.get("KILLREPORT_TEST_CHAOS_SEED", "1"))
PATIENCE_SECONDS = 60 + MAILS * 0.3
GARBAGE = b'{"neither": "this", "nor": that'
QUEUE_NAMES = [str(row.queue) for row in QUEUES]

# Everybody on a stored killmail whom ESI knows: players, their corporations, and alliances.
NAMELESS = """
    with seen (character_id, corporation_id, alliance_id) as (
        select character_id, corporation_id, alliance_id from attacker
        union select victim_character_id, victim_corporation_id, victim_alliance_id from killmail
    )
    select 'character', character_id from seen
      where character_id >= 4000000
        and not exists (select from character known where known.character_id = seen.character_id and name <> '')
    union select 'corporation', corporation_id from seen
      where corporation_id >= 2000000
        and not exists (select from corporation known where known.corporation_id = seen.corporation_id and name <> '')
    union select 'alliance', alliance_id from seen
      where alliance_id is not null
        and not exists (select from alliance known where known.alliance_id = seen.alliance_id and name <> '')
"""


@asynccontextmanager
async def database_away(database: Database, server_url: str) -> AsyncIterator[None]:
    """Cut every connection to the test's database, and let nobody in while the block runs."""
    async with database.connection() as own:
        name = await own.fetchval("select current_database()")
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(f'alter database "{name}" allow_connections false')
        await connection.execute("select pg_terminate_backend(pid) from pg_stat_activity where datname = $1", name)
        try:
            yield
        finally:
            await connection.execute(f'alter database "{name}" allow_connections true')
    finally:
        await connection.close()


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[Path, ...]:
    """Return a file with the first of the real killmails, or nothing where they are absent."""
    archives = sorted((DATA / "killmails" / "everef").glob("*.tar.bz2"))
    if not archives:
        return ()
    path = tmp_path / "corpus.jsonl"
    with archives[0].open("rb") as stream, path.open("wb") as out:
        for record in itertools.islice(read_records(stream, archives[0].name), MAILS):
            out.write(msgspec.json.format(record.body, indent=0).replace(b"\n", b"") + b"\n")
    return (path,)


async def post(url: str, path: str, body: dict[str, Any]) -> None:
    async with aiohttp.ClientSession() as session, session.post(f"{url}{path}", json=body) as response:
        assert response.status < 300, await response.text()


async def eventually(what: Callable[[], Awaitable[object]], workers: Workers) -> None:
    """Wait until the answer is empty or zero; after the time allowed, say what is left and what the workers said."""
    deadline = asyncio.get_running_loop().time() + PATIENCE_SECONDS
    while left := await what():
        if asyncio.get_running_loop().time() > deadline:
            words = "\n".join(workers.last_words(name) for name in ("worker-redisq", "worker-characters"))
            pytest.fail(f"left: {left!r}\n{words}")
        await workers.revive()
        await asyncio.sleep(0.2)


async def fly(
    database: Database,
    broker: Broker,
    url: str,
    workers: Workers,
    broker_away: Callable[[], AbstractAsyncContextManager[None]],
) -> None:
    """Publish the killmails while workers are killed, with the broker away in the middle; wait until all is done."""
    chance = random.Random(SEED)
    for queue in QUEUE_NAMES:
        await broker.publish_bodies(queue, [GARBAGE])
    rounds = KILLS + 1
    for turn in range(rounds):
        count = MAILS // rounds if turn else MAILS - MAILS // rounds * (rounds - 1)
        await post(url, "/control/publish", {"count": count})
        if turn == rounds // 2:
            async with broker_away():
                await asyncio.sleep(BROKER_SECONDS)
        if turn:
            await asyncio.sleep(chance.uniform(0.1, 2.0))
            await workers.kill_one(chance)

    async def missing_mails() -> int:
        async with database.connection() as connection:
            return MAILS - int(await connection.fetchval("select count(*) from killmail"))

    async def ledger() -> list[Any]:
        async with database.connection() as connection:
            return [tuple(row) for row in await connection.fetch("select * from refresh_ledger limit 5")]

    async def waiting() -> list[Any]:
        counts = [await broker.counts(queue) for queue in QUEUE_NAMES]
        return [count for count in counts if count.ready or count.delayed or count.unacked]

    for what in (missing_mails, ledger, waiting):
        await eventually(what, workers)


async def listed_dead_letters(settings: Settings) -> list[dict[str, Any]]:
    """Return what an operator is shown of what was given up."""
    command = (sys.executable, "-m", "killreport", "queue", "dead", "list", "--json")
    listing = await asyncio.create_subprocess_exec(
        *command, env=child_environment(settings), stdout=asyncio.subprocess.PIPE
    )
    output, _ = await listing.communicate()
    assert listing.returncode == 0
    letters: list[dict[str, Any]] = msgspec.json.decode(output)
    return letters


async def check(settings: Settings, database: Database) -> None:
    """Every killmail once, everybody named, nothing waiting, and no dead letter but the garbage."""
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from killmail") == MAILS
        assert await recount_differences(connection) == []
        told = await connection.fetch("select unnest(killmail_ids) as id from event where kind = 'stored'")
        stored = await connection.fetch("select killmail_id as id from killmail")
        assert sorted(row["id"] for row in told) == sorted(row["id"] for row in stored)
        assert await connection.fetch("select * from quarantine") == []
        assert await connection.fetch(NAMELESS) == []
        assert await connection.fetch("select * from refresh_ledger") == []
    letters = await listed_dead_letters(settings)
    assert [letter["queue"] for letter in letters] == QUEUE_NAMES, letters
    assert {letter["body"] for letter in letters} == {GARBAGE.decode()}
    assert all("not JSON" in letter["reason"] for letter in letters)


async def survive(
    settings: Settings,
    database: Database,
    corpus: tuple[Path, ...],
    broker_away: Callable[[], AbstractAsyncContextManager[None]],
) -> None:
    """Run all of it with these settings."""
    folder = settings.home.parent
    async with database.connection() as connection:
        await connection.execute("insert into feed_cursor values ('r2z2', $1)", FIRST_SEQUENCE)
    async with run_simulator(
        folder / "sim", universe=keep_packaged_universe(), seed=SEED, corpus=corpus, error_rate=0.05
    ) as url:
        outside = dict.fromkeys(("r2z2_url", "redisq_url", "zkillboard_url", "esi_url", "everef_url"), url)
        settings = settings.replace(
            **outside,
            esi_requests_per_second=5000,
            feed_requests_per_second=2000,
            feed_wait_seconds=0.1,
            feed_gap_seconds=2,
            ledger_retry_minutes=0.25,
            log_format="json",
        )
        async with (
            open_broker(settings, database) as broker,
            run_workers(settings, folder / "logs") as workers,
        ):
            await fly(database, broker, url, workers, broker_away)
            assert set((await workers.stop()).values()) == {0}
            assert workers.killed == KILLS
            await check(settings, database)


@pytest.mark.chaos
async def test_nothing_is_lost_when_esi_fails_workers_are_killed_and_the_database_goes_away(
    settings: Settings, database: Database, server_url: str, corpus: tuple[Path, ...]
) -> None:
    await survive(settings, database, corpus, lambda: database_away(database, server_url))


@pytest.mark.chaos
@pytest.mark.skipif(shutil.which("rabbitmq-server") is None, reason="RabbitMQ is not installed")
async def test_nothing_is_lost_when_esi_fails_workers_are_killed_and_rabbitmq_restarts(
    settings: Settings, database: Database, tmp_path: Path, corpus: tuple[Path, ...]
) -> None:
    async with own_node(tmp_path / "rabbit") as node:

        @asynccontextmanager
        async def away() -> AsyncIterator[None]:
            await node.stop()
            yield
            await node.start()

        with_broker = settings.model_copy(update={"broker_url": SecretStr(node.url)})
        await survive(with_broker, database, corpus, away)
