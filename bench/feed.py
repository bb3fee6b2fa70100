"""From publication in the feed to the row in the API's answer, through real processes, and the feed worker's memory.

The simulator publishes one killmail at a time; the API is asked for it until it answers. By default the wait after a
404 is shortened to 20 ms, so that the figures are the product's own part; `--wait 6` shows them with the wait that
R2Z2 asks of its readers, which then is nearly all of it.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any

import aiohttp

from bench.databases import bench_database, bench_server

QUERY = "query ($id: Int!) { killmail(id: $id) { id } }"


def free_port() -> int:
    """Return a port nobody listens on at this moment."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def running(*arguments: str, environment: dict[str, str]) -> AsyncIterator[asyncio.subprocess.Process]:
    """Lend a process of the product; it is told to stop at the end."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "killreport", *arguments, env=environment, stdout=asyncio.subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.terminate()
        await process.wait()


async def ask(session: aiohttp.ClientSession, url: str, body: object | None = None) -> Any:
    """Return the JSON a URL answers."""
    async with session.request("GET" if body is None else "POST", url, json=body) as answer:
        return await answer.json()


async def wait_for(session: aiohttp.ClientSession, url: str) -> None:
    """Return once the URL answers 200. Raises TimeoutError after a minute."""
    async with asyncio.timeout(60):
        while True:
            with contextlib.suppress(aiohttp.ClientConnectionError):
                async with session.get(url) as answer:
                    if answer.status == HTTPStatus.OK:
                        return
            await asyncio.sleep(0.05)


def memory_mb(pid: int) -> dict[str, float]:
    """Return the resident and the proportional memory of a process in MB. Linux only."""
    sizes = {}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii").splitlines():
        name, _, value = line.partition(":")
        if name in ("Rss", "Pss"):
            sizes[name.lower() + "_mb"] = round(int(value.split()[0]) / 1024, 1)
    return sizes


async def measure(count: int, wait_seconds: float) -> dict[str, object]:
    """Publish `count` killmails one by one and return the latencies in milliseconds."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        database = await stack.enter_async_context(bench_database(server))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        sim_port, api_port = free_port(), free_port()
        sim, api = f"http://127.0.0.1:{sim_port}", f"http://127.0.0.1:{api_port}"
        environment = {name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")} | {
            "KILLREPORT_HOME": home,
            "KILLREPORT_DATABASE_URL": database,
            "KILLREPORT_R2Z2_URL": sim,
            "KILLREPORT_API_PORT": str(api_port),
            "KILLREPORT_FEED_WAIT_SECONDS": str(wait_seconds),
            "KILLREPORT_FEED_REQUESTS_PER_SECOND": "1000",
            "KILLREPORT_LOG_LEVEL": "warning",
        }
        session = await stack.enter_async_context(aiohttp.ClientSession())
        command = ("sim", "--port", str(sim_port), "--rate", "0", "--no-limits")
        await stack.enter_async_context(running(*command, environment=environment))
        await wait_for(session, f"{sim}/control/status")
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
