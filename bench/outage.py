"""What becomes of pilots when ESI answers 404 to everything asked of `/characters` for a while, and what it costs.

The real `worker-characters` reads 300 pilots from the simulator, which counts errors as ESI does: a hundred a minute,
and every route answers 420. The baseline is what reading them takes without an outage: one request each. Then 300
strangers, of whom ten are deleted, get their names. Between them, pilots that a release before took for gone come back.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from typing import Any

import aiohttp

from bench.databases import bench_database, bench_server
from bench.processes import ask, simulator
from bench.workers import started
from killreport.config import Settings
from killreport.cron.running import run_job
from killreport.db.database import Database, open_database
from killreport.entity.kind import EntityKind
from killreport.entity.store import store_entity
from killreport.environment import child_environment
from killreport.esi.model import EsiCharacter
from killreport.queueing.open import open_broker
from killreport.sim.world.people import FIRST_CHARACTER_ID, FIRST_CORPORATION_ID
from killreport.workers.handover import hand_over
from killreport.workers.naming import open_namer

PILOTS = 300
DELETED = 10
PATIENCE_SECONDS = 600
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
_AWAY = {"where": "/characters/*", "error_rate": 1, "statuses": [404]}


async def measure(settings: Settings, seconds: float) -> dict[str, Any]:
    """Return the figures of an outage of so many seconds, and of the strangers' names."""
    async with aiohttp.ClientSession() as session, simulator(settings, session, has_limits=True) as url:
        here = settings.replace(esi_url=url)
        async with open_database(here) as database:
            found = {"outage": await outlast(here, database, session, seconds)}
            found["taken_for_gone_before"] = await bring_back(here, database, session)
            return {**found, "strangers": await name_strangers(here, database, session)}


async def outlast(
    settings: Settings, database: Database, session: aiohttp.ClientSession, seconds: float
) -> dict[str, Any]:
    """Queue all pilots in an outage, end it, and wait until all are read."""
    await store_pilots(database)
    url = settings.esi_url
    await run_job("queue-characters", settings, database, stop=asyncio.Event(), everything=True)
    await forget(session, url)
    async with started("worker-characters", child_environment(settings)):
        await set_rules(session, url, [_AWAY])
        began = time.monotonic()
        gone, minutes = 0, Counter[int]()
        before = 0
        while time.monotonic() - began < seconds:
            await asyncio.sleep(1)
            gone = max(gone, await count(database, "gone_at is not null"))
            errors = (await statuses(session, url))["404"]
            minutes[int(time.time() // 60)] += errors - before
            before = errors
        during = await statuses(session, url)
        await set_rules(session, url, [])
        ended = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await count(database, "name not like 'Old %' and gone_at is null") < PILOTS:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.1)
        back = time.monotonic() - ended
    after = await statuses(session, url)
    return {
        "pilots": PILOTS,
        "outage_seconds": seconds,
        "most_taken_for_gone": gone,
        "names_back": await count(database, "name not like 'Old %' and gone_at is null"),
        "seconds_until_all_were_back": round(back, 1),
        "requests_in_the_outage": dict(during),
        "most_errors_in_a_minute": max(minutes.values()),
        "requests_in_all": sum(after.values()),
        "ratio_to_one_each": round(sum(after.values()) / PILOTS, 2),
        "answers_420": after["420"],
    }


async def bring_back(settings: Settings, database: Database, session: aiohttp.ClientSession) -> dict[str, Any]:
    """Have the pilots gone as releases before noted it, and ask for everybody."""
    async with database.connection() as connection:
        await connection.execute("update character set gone_at = now(), name = 'Old ' || name")
        await connection.execute("truncate esi_cache")
    await run_job("queue-characters", settings, database, stop=asyncio.Event(), everything=True)
    await forget(session, settings.esi_url)
    async with started("worker-characters", child_environment(settings)):
        began = time.monotonic()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while await count(database, "gone_at is null") < PILOTS:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.1)
        seconds = time.monotonic() - began
    return {
        "names_back": await count(database, "name not like 'Old %' and gone_at is null"),
        "seconds": round(seconds, 1),
        "requests": dict(await statuses(session, settings.esi_url)),
    }


async def name_strangers(settings: Settings, database: Database, session: aiohttp.ClientSession) -> dict[str, Any]:
    """Put strangers on the ledger, some of them deleted, and return what it takes until all have names."""
    url = settings.esi_url
    strangers = range(FIRST_CHARACTER_ID + 10_000, FIRST_CHARACTER_ID + 10_000 + PILOTS)
    await ask(session, f"{url}/control/world", {"biomassed": [*strangers[:DELETED]]})
    async with database.connection() as connection:
        await connection.execute(
            "insert into refresh_ledger (entity_kind, entity_id) select $1, unnest($2::bigint[])",
            int(EntityKind.CHARACTER),
            [*strangers],
        )
    await forget(session, url)
    began = time.monotonic()
    async with open_broker(settings, database) as broker, open_namer(settings, database) as namer:
        await hand_over(database, broker, settings, namer)
    named = await count(database, f"character_id >= {strangers[0]} and name is not null")
    seconds = time.monotonic() - began
    return {
        "strangers": PILOTS,
        "deleted": DELETED,
        "named": named,
        "requests": sum((await statuses(session, url)).values()),
        "seconds": round(seconds, 2),
    }


async def store_pilots(database: Database) -> None:
    """Store the pilots as they were long ago, with names."""
    async with database.transaction() as connection:
        for number in range(FIRST_CHARACTER_ID, FIRST_CHARACTER_ID + PILOTS):
            pilot = EsiCharacter(name=f"Old {number}", corporation_id=FIRST_CORPORATION_ID)
            await store_entity(EntityKind.CHARACTER, connection, number, pilot, at=LONG_AGO)


async def count(database: Database, condition: str) -> int:
    """Return how many stored characters are so."""
    async with database.connection() as connection:
        return int(await connection.fetchval(f"select count(*) from character where {condition}"))


async def statuses(session: aiohttp.ClientSession, url: str) -> Counter[str]:
    """Return how often ESI answered with each status since the count began."""
    hosts = (await ask(session, f"{url}/control/requests"))["hosts"]
    return Counter(hosts.get("esi", {"statuses": {}})["statuses"])


async def forget(session: aiohttp.ClientSession, url: str) -> None:
    """Begin the count."""
    async with session.delete(f"{url}/control/requests") as answer:
        answer.raise_for_status()


async def set_rules(session: aiohttp.ClientSession, url: str, rules: list[dict[str, Any]]) -> None:
    """Set the simulator's faults."""
    async with session.put(f"{url}/control/rules", json=rules) as answer:
        answer.raise_for_status()


async def measure_all(seconds: float) -> dict[str, Any]:
    """Measure with the queues in the database."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        database = await stack.enter_async_context(bench_database(server))
        return await measure(
            Settings.model_validate({"home": home, "database_url": database, "log_level": "error"}), seconds
        )


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=120, help="how long the outage lasts (default: 120)")
    options = parser.parse_args(arguments)
    print(json.dumps(asyncio.run(measure_all(options.seconds)), indent=1))


if __name__ == "__main__":
    main()
