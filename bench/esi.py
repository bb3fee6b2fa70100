"""How much of ESI's budget `worker-characters` uses, with little and with much latency, alone and beside others.

The real process reads from the simulator while its queue is never empty; the simulator counts. The baseline is what
arithmetic allows: the budget, or prefetch divided by latency for each process where that is less (Little's law).
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from typing import Any

import aiohttp

from bench.databases import bench_database, bench_server
from bench.processes import ask, simulator
from bench.queueing import virtual_host
from bench.workers import started
from killreport.config import Settings
from killreport.db.database import open_database
from killreport.environment import child_environment
from killreport.fleet.table import find_process
from killreport.queueing.messages import CharacterMessage
from killreport.queueing.open import open_broker
from killreport.sim.world.people import FIRST_CHARACTER_ID

PROCESS = "worker-characters"
# Latency in milliseconds, and processes.
CASES = ((30, 1), (300, 1), (300, 2), (30, 4))
# So many requests are let pass before counting begins: the processes are in their stride by then.
WARM_UP = 150
WARM_UP_SECONDS = 60


async def requests_so_far(session: aiohttp.ClientSession, url: str) -> int:
    """Return how many requests ESI was sent since the count began."""
    hosts = (await ask(session, f"{url}/control/requests"))["hosts"]
    return int(hosts.get("esi", {"requests": 0})["requests"])


async def measure(settings: Settings, seconds: float) -> list[dict[str, object]]:
    """Return the rate of each case beside what arithmetic allows."""
    budget = settings.esi_requests_per_second
    found: list[dict[str, object]] = []
    prefetch = find_process(PROCESS).prefetch
    assert prefetch is not None
    async with aiohttp.ClientSession() as session, simulator(settings, session) as url:
        environment = child_environment(settings.replace(esi_url=url))
        for latency_ms, processes in CASES:
            await fill_queue(settings, round(budget * (seconds + WARM_UP_SECONDS)))
            rule = {"where": "esi", "latency_ms": latency_ms}
            async with session.put(f"{url}/control/rules", json=[rule]) as answer:
                answer.raise_for_status()
            rate = await measure_rate(session, url, environment, processes, seconds)
            allowed = min(budget, processes * prefetch / (latency_ms / 1000))
            found.append(
                {
                    "latency_ms": latency_ms,
                    "processes": processes,
                    "per_second": round(rate, 2),
                    "allowed_per_second": round(allowed, 2),
                    "ratio_to_budget": round(rate / budget, 3),
                    "ratio_to_allowed": round(rate / allowed, 3),
                }
            )
    return found


async def fill_queue(settings: Settings, count: int) -> None:
    """Queue characters, new ones to the database: it is emptied of those of the case before."""
    queue = find_process(PROCESS).queue
    assert queue is not None
    async with open_database(settings) as database, open_broker(settings, database) as broker:
        async with database.connection() as connection:
            await connection.execute("truncate character cascade; truncate esi_cache")
        await broker.purge(queue)
        await broker.publish_many(queue, [CharacterMessage(FIRST_CHARACTER_ID + number) for number in range(count)])


async def measure_rate(
    session: aiohttp.ClientSession, url: str, environment: Mapping[str, str], processes: int, seconds: float
) -> float:
    """Return requests a second, counted by the simulator while the processes are at work."""
    async with AsyncExitStack() as stack:
        for _ in range(processes):
            await stack.enter_async_context(started(PROCESS, environment))
        async with session.delete(f"{url}/control/requests") as answer:
            answer.raise_for_status()
        async with asyncio.timeout(WARM_UP_SECONDS):
            while await requests_so_far(session, url) < WARM_UP:  # noqa: ASYNC110 - it happens in another process
                await asyncio.sleep(0.1)
        before, began = await requests_so_far(session, url), time.perf_counter()
        await asyncio.sleep(seconds)
        return (await requests_so_far(session, url) - before) / (time.perf_counter() - began)


async def measure_all(seconds: float) -> dict[str, Any]:
    """Measure with the queues in the database and, where there is one, with RabbitMQ."""
    found: dict[str, Any] = {}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        broker_url = await stack.enter_async_context(virtual_host())
        for name, broker in {"embedded": None, "rabbitmq": broker_url}.items():
            if name == "rabbitmq" and broker is None:
                continue
            database = await stack.enter_async_context(bench_database(server))
            settings = Settings.model_validate(
                {"home": home, "database_url": database, "broker_url": broker, "log_level": "error"}
            )
            found[name] = await measure(settings, seconds)
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30, help="how long each case is counted (default: 30)")
    options = parser.parse_args(arguments)
    print(json.dumps(asyncio.run(measure_all(options.seconds)), indent=1))


if __name__ == "__main__":
    main()
