"""How long each worker takes from its start to READY, and how much memory it holds then, one process after the other.

All are left running, so that the last column is of a whole fleet of workers: memory shared between them counts once
there (PSS). The baseline is a Python that has imported nothing of ours and sleeps.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench.databases import bench_database, bench_server
from bench.processes import memory_mb, running, simulator
from bench.queueing import virtual_host
from killreport.config import Settings
from killreport.environment import child_environment
from killreport.fleet.table import FLEET

WORKERS = tuple(row.name for row in FLEET if row.kind == "worker")
READY_SECONDS = 60
# What a worker still does after it said READY: its first look at the queue, its first sweep.
SETTLE_SECONDS = 2.0


@asynccontextmanager
async def started(name: str, environment: Mapping[str, str]) -> AsyncIterator[tuple[int, float]]:
    """Run a worker while the block runs; yields its pid and the seconds it took to say READY."""
    with (
        tempfile.TemporaryDirectory(prefix="killreport-ready-") as folder,
        socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices,
    ):
        path = str(Path(folder) / "notify")
        notices.bind(path)
        notices.setblocking(False)
        began = time.perf_counter()
        async with running("run", name, environment={**environment, "NOTIFY_SOCKET": path}) as process:
            async with asyncio.timeout(READY_SECONDS):
                while b"READY=1" not in await asyncio.get_running_loop().sock_recv(notices, 4096):
                    pass
            yield process.pid, time.perf_counter() - began


async def measure_all() -> dict[str, Any]:
    """Measure with the queues in the database and, where there is one, with RabbitMQ."""
    found = {"embedded": await measure(None)}
    async with virtual_host() as broker_url:
        if broker_url is not None:
            found["rabbitmq"] = await measure(broker_url)
    return {**found, "bare_python": await bare_python()}


async def measure(broker_url: str | None) -> dict[str, Any]:
    """Start every worker, and return for each the seconds to READY and its memory."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        database = await stack.enter_async_context(bench_database(server))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        local = Settings.model_validate(
            {"home": home, "database_url": database, "broker_url": broker_url, "log_level": "warning"}
        )
        sim = await stack.enter_async_context(simulator(local, session))
        outside = dict.fromkeys(("r2z2_url", "redisq_url", "zkillboard_url", "esi_url", "everef_url"), sim)
        environment = child_environment(local.replace(**outside))
        seconds: dict[str, float] = {}
        pids: dict[str, int] = {}
        for name in WORKERS:
            pids[name], seconds[name] = await stack.enter_async_context(started(name, environment))
        await asyncio.sleep(SETTLE_SECONDS)
        memory = {name: memory_mb(pid) for name, pid in pids.items()}
        return {
            "workers": {name: {"ready_s": round(seconds[name], 2), **memory[name]} for name in WORKERS},
            "sum_rss_mb": round(sum(sizes["rss_mb"] for sizes in memory.values()), 1),
            "sum_pss_mb": round(sum(sizes["pss_mb"] for sizes in memory.values()), 1),
        }


async def bare_python() -> dict[str, float]:
    """Return the memory of an interpreter that does nothing."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "import asyncio, time; print(flush=True); time.sleep(60)"),
        stdout=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    await process.stdout.readline()
    sizes = memory_mb(process.pid)
    process.kill()
    await process.wait()
    return sizes


def main() -> None:
    """Measure and print."""
    argparse.ArgumentParser(description=__doc__).parse_args()
    print(json.dumps(asyncio.run(measure_all()), indent=1))


if __name__ == "__main__":
    main()
