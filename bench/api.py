"""`python -m bench.api`: the GraphQL API over HTTP, with and without its cache, beside other servers.

One database of many killmails, one process a server, the same bodies for all; their answers are equal, which is
checked. They take turns, so that what else the machine does hits all alike, and each keeps its best turn.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

import aiohttp
from pydantic import SecretStr

from bench.api_queries import Ask, asks
from bench.databases import bench_database, bench_server
from bench.large_database import fill
from bench.load import Load, generator, press
from bench.plain_rows import plain_rows_of
from bench.rival_servers import Server, install, killreport_server, rival
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.errors import KillreportError

CACHE_BYTES = 32 * 2**20
RIVALS = ("strawberry", "yoga", "yoga, cache", "yoga, jit", "mercurius, jit")
# What the rivals' schema has.
COMPARED = ("list", "page")
CLIENTS = (1, 8, 32)
_OURS, _CACHED = "killreport", "killreport, cache"
PAIRS = (
    *((_CACHED, _OURS), (_OURS, "strawberry"), (_OURS, "yoga"), (_CACHED, "yoga"), (_CACHED, "yoga, cache")),
    *((_OURS, "yoga, jit"), (_OURS, "mercurius, jit")),
)


@asynccontextmanager
async def filled(killmails: int, url: str | None) -> AsyncIterator[str]:
    """Lend a database with so many killmails, or the one at `url`."""
    if url is not None:
        yield url
        return
    async with bench_server() as server, bench_database(server) as own:
        await fill(own, killmails)
        yield own


@asynccontextmanager
async def servers(url: str, folder: Path, rivals: Sequence[str]) -> AsyncIterator[list[Server]]:
    """Lend ours without and with its cache, then the rivals, over a copy in plain rows."""
    settings = Settings(database_url=SecretStr(url), home=folder / "home")
    if rivals:
        await install(folder)
    async with AsyncExitStack() as stack:
        lent = [
            await stack.enter_async_context(killreport_server(settings, _OURS, 0)),
            await stack.enter_async_context(killreport_server(settings, _CACHED, CACHE_BYTES)),
        ]
        plain = await stack.enter_async_context(plain_rows_of(url)) if rivals else url
        others = [await stack.enter_async_context(rival(folder, name, plain)) for name in rivals]
        yield [*lent, *others]


def may_ask(server: Server, ask: Ask) -> bool:
    """Whether the server's schema has what is asked."""
    return server.name in (_OURS, _CACHED) or ask.name in COMPARED


async def check_equal(lent: Sequence[Server], wanted: Sequence[Ask]) -> None:
    """Ask everybody everything once. Raises KillreportError where an answer has errors or differs from the first's."""
    async with aiohttp.ClientSession(headers={"Content-Type": "application/json"}) as session:
        for ask in wanted:
            for body in ask.bodies:
                answers = {}
                for server in lent:
                    if may_ask(server, ask):
                        async with session.post(server.url, data=body) as response:
                            answers[server.name] = json.loads(await response.read())
                first = next(iter(answers.values()))
                for name, answer in answers.items():
                    if "errors" in answer or answer != first:
                        raise KillreportError(f"{name} answers `{ask.name}` otherwise: {str(answer)[:300]}")


async def turns(
    lent: Sequence[Server], wanted: Sequence[Ask], clients: Sequence[int], rounds: int, seconds: float
) -> dict[str, Any]:
    """Return each server's best turn by query and number of clients."""
    found: dict[str, Any] = {}
    for ask in wanted:
        asked = [server for server in lent if may_ask(server, ask)]
        for count in clients:
            loads: dict[str, list[Load]] = {server.name: [] for server in asked}
            for _ in range(rounds):
                for server in asked:
                    loads[server.name].append(await press(server.url, ask.bodies, count, seconds, server.pid))
            found.setdefault(ask.name, {})[f"{count} clients"] = _summed_up(loads)
    return found


def _summed_up(loads: dict[str, list[Load]]) -> dict[str, Any]:
    best = {name: max(taken, key=lambda load: load.per_second) for name, taken in loads.items()}
    cpu = {name: min(load.cpu_ms for load in taken) for name, taken in loads.items()}
    pairs = [(one, other) for one, other in PAIRS if other in best]
    return {
        "servers": {name: asdict(load) | {"cpu_ms": cpu[name]} for name, load in best.items()},
        "ratios_of_requests_per_second": {
            f"{one} / {other}": round(best[one].per_second / best[other].per_second, 2) for one, other in pairs
        },
        "ratios_of_requests_per_cpu_second": {
            f"{one} / {other}": round(cpu[other] / cpu[one], 2) for one, other in pairs if cpu[one]
        },
    }


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return everything that the options ask for."""
    rivals = () if options.alone else RIVALS
    with tempfile.TemporaryDirectory(prefix="killreport-bench-") as own:
        folder = Path(options.rivals or own)
        async with filled(options.killmails, options.database) as url, servers(url, folder, rivals) as lent:
            wanted = [ask for ask in await asks(url, build_schema()) if not options.only or ask.name in options.only]
            await check_equal(lent, wanted)
            found = await turns(lent, wanted, options.clients, options.rounds, options.seconds)
    return {"load": generator(), "bodies_equal": True, **found}


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.api", description=__doc__)
    parser.add_argument("--killmails", type=int, default=50_000)
    parser.add_argument("--database", help="URL of a database that is filled already; it is not changed")
    parser.add_argument("--alone", action="store_true", help="without the other servers")
    parser.add_argument("--rivals", help="folder to install the other servers into, to use it again")
    parser.add_argument("--only", nargs="*", help="only these queries")
    parser.add_argument("--clients", type=int, nargs="*", default=CLIENTS)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=3.0, help="how long a turn takes")
    options = parser.parse_args(arguments)
    if options.rivals:
        Path(options.rivals).mkdir(parents=True, exist_ok=True)
    print(json.dumps(asyncio.run(measure(options)), indent=1))


if __name__ == "__main__":
    main()
