"""`python -m bench.differing`: 1,000 lists and 1,000 kill pages of which no two are alike, beside other servers.

Filters and cursors vary, so nothing that one answer needs is all that the next one needs. Once with every server's own
caches on, after everything was asked once, and once with them off. What counts is processor time: of the server, and of
PostgreSQL for it. The other servers read a database of their own with the same killmails in plain rows.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

import aiohttp
import asyncpg
from pydantic import SecretStr

from bench.api import CACHE_BYTES, filled
from bench.api_queries import PAGE, ROW
from bench.load import Load, generator, press
from bench.plain_rows import plain_rows_of
from bench.rival_servers import Server, install, killreport_server, rival
from killreport.config import Settings
from killreport.entity.kind import EntityKind
from killreport.errors import KillreportError

COUNT = 1_000
SIZE = 25
DEPTH = 10  # pages that are turned of each list
WARM = ("killreport, cache", "yoga, jit, cache", "mercurius, jit", "mercurius, jit, cache")
COLD = ("killreport", "yoga, jit", "mercurius, jit")
OTHERS = ("mercurius, jit", "mercurius, jit, cache", "yoga, jit", "yoga, jit, cache")
LIST = f"""query Differing($filter: KillmailFilter, $after: String) {{
  killmails(first: {SIZE}, after: $after, filter: $filter) {{ nodes {{ {ROW} }} pageInfo {{ hasNextPage }} }} }}"""
# What finds where the next page begins, in a server's own words.
_TURN = f"""query Turn($filter: KillmailFilter, $after: String) {{
  killmails(first: {SIZE}, after: $after, filter: $filter) {{ pageInfo {{ hasNextPage endCursor }} }} }}"""
# The filter, and whose ids it takes in the order of how much there is of them.
_FILTERS: Mapping[str, tuple[EntityKind, str]] = {
    "attackerAlliance": (EntityKind.ALLIANCE, "kills"),
    "victimAlliance": (EntityKind.ALLIANCE, "losses"),
    "region": (EntityKind.REGION, "kills"),
    "system": (EntityKind.SOLAR_SYSTEM, "kills"),
    "victimShipGroup": (EntityKind.SHIP_GROUP, "losses"),
    "victimShipType": (EntityKind.SHIP_TYPE, "losses"),
}


@dataclass(frozen=True, slots=True)
class Turn:
    """One turn of a server: the load, and what PostgreSQL computed for a request, in milliseconds."""

    load: Load
    postgres_ms: float

    @property
    def both_ms(self) -> float:
        """Return the processor time of server and PostgreSQL together for a request."""
        return round(self.load.cpu_ms + self.postgres_ms, 3)


async def list_bodies(session: aiohttp.ClientSession, url: str, server: Server, count: int) -> list[bytes]:
    """Return so many requests of different pages of different lists; the same lists for every server.

    Cursors are each server's own, so its pages are turned to find them.
    """
    each = count // (len(_FILTERS) * DEPTH) + 1
    connection = await asyncpg.connect(url)
    try:
        wanted = [
            {name: [row[0]]}
            for name, (kind, column) in _FILTERS.items()
            for row in await connection.fetch(
                f"""select entity_id from total_stat where entity_kind = $1 and {column} > $2
                    order by {column} desc, entity_id limit $3""",
                int(kind),
                SIZE,
                2 * each,
            )
        ]
    finally:
        await connection.close()
    random.Random(5).shuffle(wanted)
    bodies: list[bytes] = []
    for one in wanted:
        after: str | None = None
        for _ in range(DEPTH):
            bodies.append(_body(LIST, {"filter": one, "after": after}))
            answer = await _answer(session, server, _body(_TURN, {"filter": one, "after": after}))
            info = answer["data"]["killmails"]["pageInfo"]
            if not info["hasNextPage"]:
                break
            after = info["endCursor"]
        if len(bodies) >= count:
            return bodies[:count]
    raise KillreportError(f"The database has {len(bodies)} pages of lists; {count} are needed: give it more killmails.")


async def page_bodies(url: str, count: int) -> list[bytes]:
    """Return the requests of so many kill pages, of killmails drawn from all."""
    connection = await asyncpg.connect(url)
    try:
        ids = [row[0] for row in await connection.fetch("select killmail_id from killmail order by 1")]
    finally:
        await connection.close()
    return [_body(PAGE, {"id": killmail_id}) for killmail_id in random.Random(7).sample(ids, min(count, len(ids)))]


async def check_equal(
    session: aiohttp.ClientSession, lent: Sequence[Server], bodies: Mapping[str, Sequence[bytes]]
) -> None:
    """Ask every server everything once. Raises KillreportError where an answer has errors or differs."""
    for place in range(len(bodies[lent[0].name])):
        answers = {one.name: await _answer(session, one, bodies[one.name][place]) for one in lent}
        first = answers[lent[0].name]
        for name, answer in answers.items():
            if answer != first:
                raise KillreportError(f"{name} answers request {place} otherwise: {_difference(first, answer, '')}")


def _difference(one: Any, other: Any, path: str) -> str:
    """Return where two answers differ first, and how."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        parts = [(one[key], other[key], f"{path}.{key}") for key in one]
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        parts = [(*pair, f"{path}[{place}]") for place, pair in enumerate(zip(one, other, strict=True))]
    else:
        return f"{str(other)[:100]} instead of {str(one)[:100]} at {path}"
    return next((_difference(*part) for part in parts if part[0] != part[1]), "")


async def turns(
    lent: Sequence[tuple[Server, str]], bodies: Mapping[str, Sequence[bytes]], options: argparse.Namespace
) -> dict[str, Any]:
    """Let the servers take turns, and return of each the middle of its turns with the ratios to ours.

    lent: each with the URL of its database.
    """
    taken: dict[str, list[Turn]] = {server.name: [] for server, _ in lent}
    for number in range(options.rounds + 1):
        for server, url in lent:
            before = _postgres_seconds(url)
            load = await press(server.url, bodies[server.name], options.clients, options.seconds, server.pid)
            used = (_postgres_seconds(url) - before) * 1_000 / max(1.0, load.per_second * options.seconds)
            if number:  # the first warms compilers, prepared statements and caches
                taken[server.name].append(Turn(load, round(used, 3)))
    middle = {name: sorted(found, key=lambda turn: turn.load.cpu_ms)[len(found) // 2] for name, found in taken.items()}
    cpu = {name: median(turn.load.cpu_ms for turn in found) for name, found in taken.items()}
    both = {name: median(turn.both_ms for turn in found) for name, found in taken.items()}
    ours = lent[0][0].name
    return {
        "servers": {
            name: {**asdict(turn.load), "cpu_ms": cpu[name], "cpu_ms_with_postgres": both[name]}
            for name, turn in middle.items()
        },
        "times_as_much_as_ours": {name: round(cpu[name] / cpu[ours], 2) for name in cpu if name != ours},
        "times_as_much_with_postgres": {name: round(both[name] / both[ours], 2) for name in both if name != ours},
    }


def _postgres_seconds(url: str) -> float:
    """Return what the backends of a database on this machine have computed so far, and the database's workers.

    Source: the first number of Linux's `schedstat`, which counts nanoseconds where `stat` counts hundredths.
    """
    name = url.rpartition("/")[2].partition("?")[0]
    nanoseconds = 0
    for process in Path("/proc").glob("[0-9]*"):
        try:
            title = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if title.startswith("postgres: ") and name in title.split():
                nanoseconds += int((process / "schedstat").read_text(encoding="ascii").split()[0])
        except OSError:
            continue
    return nanoseconds / 1e9


async def _answer(session: aiohttp.ClientSession, server: Server, body: bytes) -> Any:
    async with session.post(server.url, data=body) as response:
        answer = json.loads(await response.read())
    if "errors" in answer:
        raise KillreportError(f"{server.name} answers {str(answer)[:300]} to {body.decode()[:300]}")
    return answer


def _body(text: str, variables: Mapping[str, Any]) -> bytes:
    return json.dumps({"query": " ".join(text.split()), "variables": variables}).encode()


async def measure(options: argparse.Namespace) -> dict[str, Any]:
    """Return the figures of both kinds of requests, warm and cold."""
    async with AsyncExitStack() as stack:
        own = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        folder = Path(options.rivals or own)
        await install(folder)
        url = await stack.enter_async_context(filled(options.killmails, options.database))
        plain = options.plain_database or await stack.enter_async_context(plain_rows_of(url))
        settings = Settings(database_url=SecretStr(url), home=Path(own) / "home")
        lent: dict[str, tuple[Server, str]] = {}
        for name, size in (("killreport", 0), ("killreport, cache", CACHE_BYTES)):
            lent[name] = (await stack.enter_async_context(killreport_server(settings, name, size)), url)
        for name in OTHERS:
            lent[name] = (await stack.enter_async_context(rival(folder, name, plain)), plain)
        session = await stack.enter_async_context(aiohttp.ClientSession(headers={"Content-Type": "application/json"}))
        found: dict[str, Any] = {"load": generator(), "clients": options.clients}
        pages = await page_bodies(url, options.count)
        kinds = {
            "lists": {name: await list_bodies(session, url, one, options.count) for name, (one, _) in lent.items()},
            "pages": dict.fromkeys(lent, pages),
        }
        for kind, bodies in kinds.items():
            await check_equal(session, [one for one, _ in lent.values()], bodies)
            found[kind] = {
                "warm": await turns([lent[name] for name in WARM], bodies, options),
                "cold": await turns([lent[name] for name in COLD], bodies, options),
            }
        return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.differing", description=__doc__)
    parser.add_argument("--killmails", type=int, default=50_000)
    parser.add_argument("--database", help="URL of a database that is filled already; it is not changed")
    parser.add_argument("--plain-database", help="URL of its copy in plain rows (`bench.plain_rows`)")
    parser.add_argument("--rivals", help="folder to install the other servers into, to use it again")
    parser.add_argument("--count", type=int, default=COUNT, help="different requests of a kind")
    parser.add_argument("--clients", type=int, default=8)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=5.0, help="how long a turn takes")
    print(json.dumps(asyncio.run(measure(parser.parse_args(arguments))), indent=1))


if __name__ == "__main__":
    main()
