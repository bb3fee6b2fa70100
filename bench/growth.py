"""`python -m bench.growth`: how much longer the API's answers take where ten and forty times as much is stored.

The cache is off and one client asks at a time. All databases are there at once and take turns, so that what else the
machine does hits all alike; a query's time is the best median of its turns.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.api import filled
from bench.api_queries import Ask, asks
from bench.load import generator, press
from bench.rival_servers import Server, killreport_server
from killreport.api.schema import build_schema
from killreport.config import Settings

SIZES = (50_000, 500_000)
LARGE = 2_000_000


async def measure(urls: Sequence[tuple[int, str | None]], rounds: int, seconds: float) -> dict[str, Any]:
    """Return the milliseconds of every query by size, and as a ratio to the smallest.

    urls: the sizes, the smallest first, each with the database that has it or None to make one.
    """
    schema = build_schema()
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-")))
        stages: list[tuple[int, Server, dict[str, Ask]]] = []
        for size, given in urls:
            url = await stack.enter_async_context(filled(size, given))
            settings = Settings(database_url=SecretStr(url), home=home)
            server = await stack.enter_async_context(killreport_server(settings, str(size), 0))
            stages.append((size, server, {ask.name: ask for ask in await asks(url, schema)}))
        found: dict[str, Any] = {}
        for name in stages[0][2]:
            times: dict[int, list[float]] = {size: [] for size, _, _ in stages}
            for _ in range(rounds):
                for size, server, wanted in stages:
                    load = await press(server.url, wanted[name].bodies, 1, seconds, server.pid)
                    times[size].append(load.p50_ms)
            found[name] = _compared({size: min(taken) for size, taken in times.items()})
    return {"load": generator(), **found}


def _compared(best: dict[int, float]) -> dict[str, Any]:
    smallest = best[min(best)]
    return {"p50_ms": best, "ratios_to_smallest": {size: round(ms / smallest, 2) for size, ms in best.items()}}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.growth", description=__doc__)
    parser.add_argument("--large", action="store_true", help=f"{LARGE} killmails too")
    parser.add_argument(
        "--databases", nargs="*", default=(), help="URLs of databases that are filled already, in order"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long a turn takes")
    options = parser.parse_args(arguments)
    sizes = (*SIZES, LARGE) if options.large else SIZES
    given = [*options.databases, *[None] * len(sizes)]
    urls = list(zip(sizes, given, strict=False))
    print(json.dumps(asyncio.run(measure(urls, options.rounds, options.seconds)), indent=1))


if __name__ == "__main__":
    main()
