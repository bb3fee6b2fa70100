"""`python -m bench.lists`: how long the pages of lists take, and their exact counts, among very many killmails.

For each list the newest page, the hundredth and the last, read warm over one connection as the API reads them, without
the API around it. Counts are told for the days there are, and calculated for the 18 years of the game's killmails.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from statistics import quantiles
from typing import Any

from pydantic import SecretStr

from bench.databases import bench_database, bench_server
from bench.many_killmails import (
    COMMON_ITEM,
    DAYS_A_YEAR,
    NEVER_MET,
    QUIET_PILOT,
    RARE_ITEM,
    Plan,
    alliance_id,
    fill,
)
from killreport.config import Settings
from killreport.db.database import Connection, open_database
from killreport.entity.kind import EntityKind
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.count import count_killmails
from killreport.killmail.lists.page import Cursor, Order, Page, cursor_of
from killreport.killmail.lists.pages import list_killmails
from killreport.killmail.postings.codes import Side

SIZE = 25
PAGES = 100
HISTORY_DAYS = 6_574  # of 18 years, from the first killmails on
MAX_SECONDS = 15.0  # of one figure
_BUSIEST = """
    select code >> 4 from posting where code & 15 = $1 and side = $2 group by code
    order by sum(killmails) desc, code limit 1
"""


@dataclass(frozen=True, slots=True)
class Asked:
    """A list as somebody asks for it."""

    name: str
    wanted: dict[str, Any] = field(default_factory=dict)
    order: Order = Order.NEWEST

    @property
    def filter(self) -> KillmailFilter:
        """Return the filter as it is read."""
        return KillmailFilter.read(self.wanted)


async def all_asked(connection: Connection) -> list[Asked]:
    """Return the lists; which region, hull group and system are the busiest, the database tells."""
    region, group, system = [
        await connection.fetchval(_BUSIEST, int(kind), int(side), timeout=600)
        for kind, side in (
            (EntityKind.REGION, Side.KILLER),
            (EntityKind.SHIP_GROUP, Side.VICTIM),
            (EntityKind.SOLAR_SYSTEM, Side.KILLER),
        )
    ]
    busiest, never = alliance_id(0), [alliance_id(rank) for rank in NEVER_MET]
    as_killer = {"attackerAlliance": [busiest]}
    hulls = {"region": [region], "victimShipGroup": [group]}
    dear = {**hulls, "valueMin": 1_000_000_000}
    either = {
        "or": [{**as_killer, "victimShipGroup": [group]}, {"region": [region], "labels": ["loc:lowsec"]}],
        "not": {"alliance": never},
    }
    return [
        Asked("everything"),
        Asked("busiest alliance as killer", as_killer),
        Asked("busiest system", {"system": [system]}),
        Asked("quiet pilot", {"character": [QUIET_PILOT]}),
        Asked("item everybody carries", {"item": [COMMON_ITEM]}),
        Asked("rare item", {"item": [RARE_ITEM]}),
        Asked("region, hull group, worth 1b", dear),
        Asked("two busy alliances that never met", {"attackerAlliance": never[:1], "victimAlliance": never[1:]}),
        Asked("alliance or region", {"or": [as_killer, {"region": [region]}]}),
        Asked("either of two, without two", either),
        Asked("all but a region", {"not": {"region": [region]}}),
        Asked("worth 1b or by 50", {"or": [{"valueMin": 1_000_000_000}, {"attackersMin": 50}]}),
        Asked("by worth, busiest alliance", as_killer, Order.MOST_VALUABLE),
        Asked("by worth, item everybody carries", {"item": [COMMON_ITEM]}, Order.MOST_VALUABLE),
        Asked("by worth, region and hull group", hulls, Order.MOST_VALUABLE),
        Asked("by points, busiest alliance", as_killer, Order.MOST_POINTS),
        Asked("by points, region", {"region": [region]}, Order.MOST_POINTS),
    ]


async def page_times(connection: Connection, asked: Asked, requests: int) -> dict[str, Any]:
    """Return the milliseconds of the newest page, of the hundredth or the last before it, and of the last."""
    wanted = asked.filter
    number, after = await _walked(connection, asked)
    pages: dict[str, Callable[[], Awaitable[Page]]] = {
        "newest": lambda: list_killmails(connection, wanted, asked.order, first=SIZE),
        "far": lambda: list_killmails(connection, wanted, asked.order, first=SIZE, after=after),
        "last": lambda: list_killmails(connection, wanted, asked.order, last=SIZE),
    }
    return {"far_page": number, **{name: await _timed(read, requests) for name, read in pages.items()}}


async def _walked(connection: Connection, asked: Asked) -> tuple[int, Cursor | None]:
    """Turn pages up to the hundredth, as far as there are so many and time is left; return its number and cursor."""
    after: Cursor | None = None
    until = time.perf_counter() + MAX_SECONDS
    for number in range(1, PAGES):
        page = await list_killmails(connection, asked.filter, asked.order, first=SIZE, after=after)
        if not page.has_more or time.perf_counter() > until:
            return number, after
        after = cursor_of(page.rows[-1], asked.order)
    return PAGES, after


async def _timed(read: Callable[[], Awaitable[object]], requests: int) -> dict[str, float]:
    """Return the middle and the 99th percentile in milliseconds, after one reading that does not count."""
    await read()
    times: list[float] = []
    until = time.perf_counter() + MAX_SECONDS
    while len(times) < requests and (len(times) < 2 or time.perf_counter() < until):
        begun = time.perf_counter()
        await read()
        times.append((time.perf_counter() - begun) * 1_000)
    percents = quantiles(times, n=100, method="inclusive")
    return {"p50_ms": round(percents[49], 2), "p99_ms": round(percents[98], 2), "requests": len(times)}


async def count_times(connection: Connection, asked: Asked, days: int, requests: int) -> dict[str, Any]:
    """Return how many killmails the list has, and how long it took to count them."""
    wanted = asked.filter
    (count,) = await count_killmails(connection, [wanted])
    times = await _timed(lambda: count_killmails(connection, [wanted]), requests)
    return {
        "killmails": count.killmails,
        "is_exact": count.is_exact,
        "ms": times["p50_ms"],
        "ms_of_1000_days": round(times["p50_ms"] * 1_000 / days, 1),
        "ms_of_18_years": round(times["p50_ms"] * HISTORY_DAYS / days, 1),
    }


async def measure(url: str, days: int, requests: int, only: Sequence[str]) -> dict[str, Any]:
    """Return every figure of the database, by list."""
    found: dict[str, Any] = {}
    settings = Settings(database_url=SecretStr(url))
    async with open_database(settings, process="bench") as database, database.connection() as connection:
        for asked in await all_asked(connection):
            if only and asked.name not in only:
                continue
            times = await page_times(connection, asked, requests)
            counts = await count_times(connection, asked, days, max(2, requests // 10))
            found[asked.name] = {**times, "count": counts}
    return found


def table(found: dict[str, Any]) -> str:
    """Return the figures as lines for people: p50 and p99 of each page, then the count."""
    lines = [
        f"{'':36}{'newest':>15}{'page 100':>15}{'last':>15}{'killmails':>12}{'count':>9}{'1,000 d':>9}{'18 years':>10}"
    ]
    for name, figures in found.items():
        pages = "".join(
            f"{figures[page]['p50_ms']:>8.1f}{figures[page]['p99_ms']:>7.1f}" for page in ("newest", "far", "last")
        )
        count = figures["count"]
        number = f"{'' if count['is_exact'] else '>= '}{count['killmails']}"
        lines.append(
            f"{name:36}{pages}{number:>12}{count['ms']:>9.1f}{count['ms_of_1000_days']:>9.1f}{count['ms_of_18_years']:>10.1f}"
        )
    return "\n".join(lines)


@asynccontextmanager
async def _filled(plan: Plan, url: str | None) -> AsyncIterator[str]:
    if url is not None:
        yield url
        return
    async with bench_server() as server, bench_database(server) as own:
        await fill(own, plan)
        yield own


async def _run(options: argparse.Namespace) -> dict[str, Any]:
    plan = Plan(options.killmails, options.years * DAYS_A_YEAR)
    async with _filled(plan, options.database) as url:
        return await measure(url, plan.days, options.requests, options.only)


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m bench.lists", description=__doc__)
    parser.add_argument("--killmails", type=int, default=500_000)
    parser.add_argument("--years", type=int, default=2)
    parser.add_argument("--database", help="URL of a database that this filled already, of so many killmails and years")
    parser.add_argument("--requests", type=int, default=200, help="of each page")
    parser.add_argument("--only", nargs="*", default=(), help="only these lists")
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args(arguments)
    found = asyncio.run(_run(options))
    print(json.dumps(found, indent=1) if options.json else table(found))


if __name__ == "__main__":
    main()
