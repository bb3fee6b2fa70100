"""From publication in the feed to the row in the API's answer, through real processes, and the feed worker's memory.

The simulator publishes one killmail at a time; the API is asked for it until it answers. By default the wait after a
404 is shortened to 20 ms, so that the figures are the product's own part; `--wait 6` shows them with the wait that
R2Z2 asks of its readers, which then is nearly all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from contextlib import AsyncExitStack

import aiohttp

from bench.databases import bench_database, bench_server
from bench.processes import ask, free_port, memory_mb, running, simulator, wait_for
from killreport.config import Settings
from killreport.environment import child_environment

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
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.count, options.wait)), indent=1))


if __name__ == "__main__":
    main()
