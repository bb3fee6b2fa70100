"""`python -m bench.hostile`: an honest client's wait and the process's memory while others ask to hurt.

Client and server share one process and one core, so the attackers' own work is in the figures.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import io
import json
import logging
import os
import statistics
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import structlog
from graphql import GraphQLError

from bench.databases import bench_database, bench_server
from killreport.api.app import create_app
from killreport.api.door.documents import Documents
from killreport.api.door.guard.operation import Lifetime
from killreport.api.door.guard.responses import Answer, Key, ResponseCache
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.db.database import Database, open_pool
from tests.integration.api.test_hostile import ATTACKS
from tests.integration.serving import serving
from tests.security.documents import SHAPES

HONEST = {"query": "{ killmails(first: 50) { nodes { id time } } }"}
LOOKUPS = 100_000
DOCUMENTS = 1_000


def _resident_megabytes() -> float:
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)


async def _waits(session: aiohttp.ClientSession, address: str, seconds: float) -> float:
    """Return the median wait of an honest client in milliseconds."""
    waits = []
    until = time.perf_counter() + seconds
    while time.perf_counter() < until:
        begun = time.perf_counter()
        async with session.post(f"{address}/graphql", json=HONEST, headers={"X-Show-Cost": "1"}) as response:
            await response.read()
        waits.append((time.perf_counter() - begun) * 1000)
    return round(statistics.median(waits), 2)


async def _attack(session: aiohttp.ClientSession, address: str, body: Any) -> None:
    encoded = json.dumps(body).encode()
    while True:
        try:
            async with session.post(
                f"{address}/graphql", data=io.BytesIO(encoded), headers={"Content-Type": "application/json"}
            ) as response:
                await response.read()
        except aiohttp.ClientError:
            await asyncio.sleep(0)


async def _under(
    attack: Callable[[], Awaitable[None]], session: aiohttp.ClientSession, address: str, seconds: float
) -> float:
    attackers = [asyncio.ensure_future(attack()) for _ in range(4)]
    try:
        return await _waits(session, address, seconds)
    finally:
        for attacker in attackers:
            attacker.cancel()
        await asyncio.gather(*attackers, return_exceptions=True)


async def _sockets(session: aiohttp.ClientSession, address: str, count: int, seconds: float) -> dict[str, Any]:
    opened: list[aiohttp.ClientWebSocketResponse] = []
    refused = 0
    before = _resident_megabytes()
    for _ in range(count):
        try:
            opened.append(await session.ws_connect(f"{address}/graphql", protocols=["graphql-transport-ws"]))
        except aiohttp.WSServerHandshakeError:
            refused += 1
    found = {
        "opened": len(opened),
        "refused": refused,
        "honest_median_ms": await _waits(session, address, seconds),
        "grown_megabytes": round(_resident_megabytes() - before, 1),
    }
    await asyncio.gather(*(socket.close() for socket in opened))
    return found


async def kept() -> dict[str, Any]:
    """Return what finding a kept answer of 30 kB costs."""
    cache = ResponseCache(32 * 2**20)
    key: Key = ("0" * 64, "Site_List", b'{"after":null,"first":50}')

    async def answer() -> Answer:
        return Answer({"data": [{"id": number, "name": "x" * 20} for number in range(800)]})

    await cache.shared(key, Lifetime(3600), answer)
    begun = time.perf_counter()
    for _ in range(LOOKUPS):
        entry = cache.find(key)
        assert entry is not None
        entry.variant("gzip, deflate")
    return {"microseconds": round((time.perf_counter() - begun) / LOOKUPS * 1e6, 2)}


def reading() -> dict[str, Any]:
    """Return what reading and checking takes: the dearest shapes of the greatest size, and a thousand documents."""
    documents = Documents(build_schema())
    times: dict[str, float] = {}
    for name, shape in SHAPES.items():
        text = shape(documents.limits.tokens)
        gc.collect()
        begun = time.process_time()
        _read(documents, text)
        times[name] = round((time.process_time() - begun) * 1000, 1)
    start = _resident_megabytes()
    for number in range(DOCUMENTS):
        _read(documents, "{ " + " ".join(f"a{number}x{place}: __typename" for place in range(90)) + " }" + " " * 3_000)
    dearest = sorted(times, key=times.__getitem__, reverse=True)[:5]
    return {
        "dearest_milliseconds": {name: times[name] for name in dearest},
        "grown_megabytes_by_a_thousand": round(_resident_megabytes() - start, 1),
    }


def _read(documents: Documents, text: str) -> None:
    with suppress(GraphQLError):
        documents.read(text, documents.limits.weigh(text))


async def measure(database: Database, settings: Settings, seconds: float, sockets: int) -> dict[str, Any]:
    """Return the honest client's wait alone, under each attack, and beside many sockets."""
    app = create_app(settings.replace(api_sockets=max(1, sockets // 2), api_init_seconds=600), database)
    connector = aiohttp.TCPConnector(limit=0)
    async with serving(app) as address, aiohttp.ClientSession(connector=connector) as session:
        quiet = await _waits(session, address, seconds)
        start = _resident_megabytes()
        attacks = {}
        for name, (body, _) in ATTACKS.items():

            async def attack(body: Any = body) -> None:
                await _attack(session, address, body)

            median = await _under(attack, session, address, seconds)
            attacks[name] = {"honest_median_ms": median, "ratio_to_quiet": round(median / quiet, 1)}
        grown = round(_resident_megabytes() - start, 1)
        return {
            "quiet_median_ms": quiet,
            "attacks": attacks,
            "grown_megabytes": grown,
            "sockets": await _sockets(session, address, sockets, seconds),
            "kept": await kept(),
            "reading": reading(),
        }


async def measure_all(seconds: float, sockets: int) -> dict[str, Any]:
    """Return all figures, over a database of this run's own."""
    async with bench_server() as server, bench_database(server) as url, open_pool(url, 5, "bench") as database:
        return await measure(database, Settings.model_validate({"database_url": url}), seconds, sockets)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long each attack goes on")
    parser.add_argument("--sockets", type=int, default=2_000, help="half of them are refused")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    print(json.dumps(asyncio.run(measure_all(options.seconds, options.sockets)), indent=1))


if __name__ == "__main__":
    main()
