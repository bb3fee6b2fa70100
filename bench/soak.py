"""The fleet for hours under a steady stream of killmails, with a line of figures every minute: what grows, what stops.

The simulator publishes at a steady rate; a fleet of its own, under the supervisor, stores and names everything, on the
real services that are configured. Between the lines nothing is touched. The last line says what each figure was in the
first and in the last quarter of the run. Ctrl-C ends it early, with that line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg

from bench.databases import bench_database, bench_server
from bench.processes import ask, free_port, running, wait_for
from bench.queueing import virtual_host
from killreport.config import Settings
from killreport.environment import child_environment

FIGURES_SQL = """
select (select count(*) from killmail) as killmails,
       (select min(next_sequence) from feed_cursor) as next_sequence,
       (select extract(epoch from now() - max(stored_at)) from killmail) as seconds_since_stored,
       (select count(*) from refresh_ledger) as ledger,
       (select count(*) from quarantine) as quarantine,
       pg_database_size(current_database()) as database_bytes,
       (select count(*) from pg_stat_activity where datname = current_database()) as connections
"""
ASK_SECONDS = 60


@dataclass(frozen=True)
class Soaked:
    """What the figures are taken from."""

    environment: dict[str, str]
    database: str
    home: Path
    simulator: str
    site: str


@asynccontextmanager
async def soaked(rate: float) -> AsyncIterator[Soaked]:
    """Lend a fleet of its own at work; every process of it is ended at the end, and its data removed."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        database = await stack.enter_async_context(bench_database(server))
        broker = await stack.enter_async_context(virtual_host())
        home = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-soak-")))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        sim_port, web_port = free_port(), free_port()
        sim = f"http://127.0.0.1:{sim_port}"
        outside = dict.fromkeys(("r2z2_url", "redisq_url", "zkillboard_url", "esi_url", "everef_url"), sim)
        given: dict[str, Any] = {
            "home": str(home),
            "database_url": database,
            "broker_url": broker,
            "redis_url": os.environ.get("KILLREPORT_TEST_REDIS_URL"),
            "contact": "soak@example.org",
            "feed_requests_per_second": 200.0,
            "esi_requests_per_second": 2000.0,
            "zkillboard_seconds": 0.5,
            "api_port": free_port(),
            "web_port": web_port,
            "static_data_url": f"{sim}/static-data",
            **outside,
        }
        environment = child_environment(Settings.model_validate({k: v for k, v in given.items() if v is not None}))
        arguments = ("sim", "--port", str(sim_port), "--rate", f"{rate:g}", "--no-limits")
        await stack.enter_async_context(running(*arguments, environment=environment))
        await wait_for(session, f"{sim}/control/status")
        await command("start", environment=environment)
        stack.push_async_callback(command, "kill", environment=environment)
        yield Soaked(environment, database, home, sim, f"http://127.0.0.1:{web_port}/")


async def command(*arguments: str, environment: dict[str, str]) -> Any:
    """Run a command of the product and return the JSON it printed, or its text. Raises RuntimeError."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "killreport", *arguments, env=environment, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"killreport {' '.join(arguments)} ended with {process.returncode}")
    with contextlib.suppress(ValueError):
        return json.loads(out)
    return out.decode()


async def figures(fleet: Soaked, session: aiohttp.ClientSession) -> dict[str, Any]:
    """Return one line: what has been stored, how far behind it is, and what it takes."""
    head = (await ask(session, f"{fleet.simulator}/control/status"))["head"]
    connection = await asyncpg.connect(fleet.database)
    try:
        stored = dict(await connection.fetchrow(FIGURES_SQL))
    finally:
        await connection.close()
    rows = await command("list", "--json", environment=fleet.environment)
    queues = await command("queue", "list", "--json", environment=fleet.environment)
    supervisor = await command("ping", "--json", environment=fleet.environment)
    pids = {row["name"]: row["pid"] for row in rows if row["pid"]} | {"supervisor": supervisor["pid"]}
    return {
        "killmails": stored["killmails"],
        "behind": head - stored.pop("next_sequence") + 1,
        **{name: float(value) if value is not None else None for name, value in stored.items() if name != "killmails"},
        "home_bytes": sum(path.stat().st_size for path in fleet.home.rglob("*") if path.is_file()),
        "disk_free_bytes": shutil.disk_usage(fleet.home).free,
        "first_byte_ms": await first_byte(session, fleet.site),
        "restarts": sum(row["restarts"] for row in rows if row["kind"] != "job"),
        "not_well": [row["name"] for row in rows if row["status"] not in ("running", "scheduled")],
        "waiting": {row["queue"]: row["ready"] + row["delayed"] for row in queues if row["ready"] + row["delayed"]},
        "dead": sum(row["dead"] for row in queues),
        "rss_mb": {name: resident_mb(pid) for name, pid in pids.items()},
        "descriptors": {name: descriptors(pid) for name, pid in pids.items()},
    }


def descriptors(pid: int) -> int:
    """Return how many descriptors a process has open. Linux only."""
    return sum(1 for _ in Path(f"/proc/{pid}/fd").iterdir())


def resident_mb(pid: int) -> float:
    """Return what a process has in memory, in MB. Linux only."""
    pages = int(Path(f"/proc/{pid}/statm").read_text(encoding="ascii").split()[1])
    return round(pages * os.sysconf("SC_PAGE_SIZE") / (1 << 20), 1)


async def first_byte(session: aiohttp.ClientSession, url: str) -> float:
    """Return the milliseconds until the front page begins to arrive. Raises TimeoutError after a minute."""
    began = time.perf_counter()
    async with asyncio.timeout(ASK_SECONDS), session.get(url) as answer:
        await answer.content.readany()
        answer.raise_for_status()
        return round((time.perf_counter() - began) * 1000, 1)


async def soak(rate: float, minutes: int, out: Path | None) -> None:
    """Print a line a minute, and write it to `out`; the last line compares the run's quarters."""
    lines: list[dict[str, Any]] = []
    async with soaked(rate) as fleet, aiohttp.ClientSession() as session:
        began = time.monotonic()
        with contextlib.suppress(asyncio.CancelledError):
            for minute in range(1, minutes + 1):
                await asyncio.sleep(max(0.0, began + minute * 60 - time.monotonic()))
                try:
                    line = {"minute": minute, **await figures(fleet, session)}
                except Exception as error:  # a figure that could not be had is a figure too
                    line = {"minute": minute, "error": f"{type(error).__name__}: {error}"}
                lines.append(line)
                text = json.dumps(line)
                print(text, flush=True)
                if out is not None:
                    with out.open("a", encoding="utf-8") as file:
                        file.write(f"{text}\n")
    print(json.dumps({"quarters": quarters(lines)}, indent=1))


def quarters(lines: list[dict[str, Any]]) -> dict[str, Any]:
    """Return each number's median in the first and in the last quarter of the run."""
    good = [flat(line) for line in lines if "error" not in line]
    size = max(1, len(good) // 4)
    found = {}
    for name in good[-1] if good else ():
        first, last = ([line[name] for line in part if name in line] for part in (good[:size], good[-size:]))
        if first and last:
            found[name] = [statistics.median(first), statistics.median(last)]
    return {"errors": len(lines) - len(good), **found}


def flat(line: dict[str, Any]) -> dict[str, float]:
    """Return the numbers of a line, those within a name as `outer.inner`."""
    numbers = {}
    for name, value in line.items():
        inner = value.items() if isinstance(value, dict) else [("", value)]
        for key, number in inner:
            if isinstance(number, (int, float)):
                numbers[f"{name}.{key}" if key else name] = float(number)
    return numbers


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rate", type=float, default=3000, help="killmails a minute")
    parser.add_argument("--minutes", type=int, default=120, help="how long")
    parser.add_argument("--out", type=Path, help="file to which each line is added too")
    options = parser.parse_args()
    asyncio.run(soak(options.rate, options.minutes, options.out))


if __name__ == "__main__":
    main()
