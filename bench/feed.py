"""From publication in the feed to the row in the API's answer, through real processes, and the feed worker's memory.

The simulator publishes one killmail at a time; the API is asked for it until it answers. By default the wait after a
404 is shortened to 20 ms, so that the figures are the product's own part; `--wait 6` shows them with the wait that
R2Z2 asks of its readers, which then is nearly all of it.

`--backlog N` asks another question: how many killmails a second are stored by a worker that was away for N of them,
when the host takes some milliseconds to answer? Beside it, the same worker without reading ahead of what it stores.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import statistics
import tempfile
import time
from contextlib import AsyncExitStack
from unittest import mock

import aiohttp
import structlog

from bench.databases import bench_database, bench_server
from bench.processes import ask, free_port, memory_mb, running, simulator, wait_for
from killreport.config import Settings
from killreport.db.database import open_pool
from killreport.environment import child_environment
from killreport.workers import redisq
from killreport.zkillboard.r2z2 import R2z2Feed

BACKLOG_ROUNDS = 2
QUERY = "query ($id: ID64!) { killmail(id: $id) { id } }"


async def measure(count: int, wait_seconds: float) -> dict[str, object]:
    """Publish `count` killmails one by one and return the latencies in milliseconds."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        database = await stack.enter_async_context(bench_database(server))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        local = Settings.model_validate({"home": home, "database_url": database, "log_level": "warning"})
        sim = await stack.enter_async_context(simulator(local, session))
        api_port = free_port()
        api = f"http://127.0.0.1:{api_port}"
        settings = local.replace(
            r2z2_url=sim, api_port=api_port, feed_wait_seconds=wait_seconds, feed_requests_per_second=1000.0
        )
        environment = child_environment(settings)
        worker = await stack.enter_async_context(running("run", "worker-redisq", environment=environment))
        await stack.enter_async_context(running("run", "killreport-backend", environment=environment))
        await wait_for(session, f"{api}/healthz")
        await _publish_and_see(session, sim, api)
        taken = sorted([await _publish_and_see(session, sim, api) for _ in range(count)])
        return {
            "killmails": count,
            "wait_after_404_seconds": wait_seconds,
            "median_ms": round(statistics.median(taken), 1),
            "p99_ms": round(taken[int(len(taken) * 0.99) - 1], 1),
            "worker_memory": memory_mb(worker.pid),
        }


async def measure_backlog(count: int, latency_ms: int) -> dict[str, object]:
    """Publish `count` killmails, then follow them, in turns with and without reading ahead; return the best rates."""
    found: dict[str, list[float]] = {"one_by_one": [], "reading_ahead": []}
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        local = Settings.model_validate({"home": home, "database_url": server, "log_level": "error"})
        sim = await stack.enter_async_context(simulator(local, session))
        await ask(session, f"{sim}/control/publish", {"count": count})
        await ask(session, f"{sim}/control/faults", {"latency_ms": latency_ms})
        settings = local.replace(r2z2_url=sim, esi_url=sim, feed_behind=count, feed_requests_per_second=10_000.0)
        for _round in range(BACKLOG_ROUNDS):
            for name, rates in found.items():
                async with bench_database(server) as url:
                    with mock.patch.object(R2z2Feed, "read_ahead", READERS[name]):
                        rates.append(await _follow(settings, url))
    best = {name: round(max(rates), 1) for name, rates in found.items()}
    ratio = round(max(found["reading_ahead"]) / max(found["one_by_one"]), 2)
    return {"killmails": count, "latency_ms": latency_ms, "per_second": best, "times_as_fast": ratio}


async def _follow(settings: Settings, url: str) -> float:
    """Return how many killmails a second a worker in this process stores, from its start to the feed's end."""
    async with open_pool(url, 5, "bench") as database:
        began = time.perf_counter()
        await redisq.run(settings.replace(database_url=url), database, stop=asyncio.Event(), once=True)
        seconds = time.perf_counter() - began
        async with database.connection() as connection:
            stored: int = await connection.fetchval("select count(*) from killmail")
    return stored / seconds


async def _read_nothing(_feed: R2z2Feed) -> None:
    """Stand for reading ahead."""


READERS = {"one_by_one": _read_nothing, "reading_ahead": R2z2Feed.read_ahead}


async def _publish_and_see(session: aiohttp.ClientSession, sim: str, api: str) -> float:
    began = time.perf_counter()
    head = (await ask(session, f"{sim}/control/publish", {"count": 1}))["head"]
    package = await ask(session, f"{sim}/ephemeral/{head}.json")
    body = {"query": QUERY, "variables": {"id": package["killmail_id"]}}
    async with asyncio.timeout(60):
        while True:
            answer = await ask(session, f"{api}/graphql", body)
            if answer["data"]["killmail"] is not None:
                return (time.perf_counter() - began) * 1000
            await asyncio.sleep(0.001)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--wait", type=float, default=0.02, help="seconds the worker waits after a 404")
    parser.add_argument("--backlog", type=int, default=0, help="how many killmails the worker is behind")
    parser.add_argument("--latency", type=int, default=20, help="the host answers within so many milliseconds")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    work = (
        measure_backlog(options.backlog, options.latency) if options.backlog else measure(options.count, options.wait)
    )
    print(json.dumps(asyncio.run(work), indent=1))


if __name__ == "__main__":
    main()
