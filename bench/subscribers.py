"""A thousand live subscribers with different filters, and a burst of killmails: how late are messages, is one missed?

One process serves the API, this one subscribes over WebSocket and stores the burst through the writer. What each
subscriber must get is worked out here from the stored rows. The same burst is first sent to a single subscriber of
everything, which is the baseline.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from typing import Any

import aiohttp
import msgspec

from bench.databases import bench_database, bench_server
from bench.processes import free_port, memory_mb, running, wait_for
from killreport.config import Settings
from killreport.db.database import Database, open_database
from killreport.environment import child_environment
from killreport.eve.load import read_packaged_universe
from killreport.eve.universe import Universe
from killreport.ingest.reading import load_writer
from killreport.killmail.filters.predicates import Facts
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.stored.queries import get_killmails, list_attackers, list_items
from killreport.sim.world.generator import Generator
from killreport.sim.world.people import World

DOCUMENT = """subscription ($filter: KillmailFilter) { killmails(filter: $filter) {
  id time values { total } labels solarSystem { name region { name } }
  victim { character { name } corporation { name } shipType { name } } finalBlow { character { name } }
} }"""
BATCH = 10  # killmails a transaction
BEGIN = 1_700_000_000
PATIENCE_SECONDS = 240.0


class Reader:
    """One subscriber: what it must get, what it got, and when."""

    def __init__(self, plain: dict[str, Any], expected: set[int]) -> None:
        self.plain, self.expected = plain, expected
        self.received: dict[int, float] = {}
        self.repeated = 0

    async def read(self, session: aiohttp.ClientSession, url: str, ready: asyncio.Semaphore) -> None:
        """Subscribe, release `ready`, and read until everything expected has come."""
        async with session.ws_connect(url, protocols=["graphql-transport-ws"], max_msg_size=0) as ws:
            await ws.send_json({"type": "connection_init"})
            await ws.receive_json()
            payload = {"query": DOCUMENT, "variables": {"filter": self.plain}}
            await ws.send_json({"type": "subscribe", "id": "1", "payload": payload})
            await ws.send_json({"type": "ping"})
            assert (await ws.receive_json())["type"] == "pong"
            ready.release()
            while self.expected - self.received.keys():
                message = await ws.receive_json()
                assert message["type"] == "next", message
                killmail_id = message["payload"]["data"]["killmails"]["id"]
                self.repeated += killmail_id in self.received
                self.received.setdefault(killmail_id, time.perf_counter())


def make_filters(count: int, mails: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return different filters, of the kinds that people follow: mostly one group of pilots, some much more."""
    corporations = sorted({a["corporation_id"] for mail in mails for a in mail["attackers"] if "corporation_id" in a})
    victims = sorted({mail["victim"]["corporation_id"] for mail in mails if "corporation_id" in mail["victim"]})
    systems = sorted({mail["solar_system_id"] for mail in mails})
    items = sorted({item["item_type_id"] for mail in mails for item in mail["victim"].get("items", ())})
    found: list[dict[str, Any]] = []
    for number in range(count):
        one: dict[str, Any] = {"valueMin": number * 1000}
        match number % 10:
            case 0 | 1 | 2:
                one |= {"attackerCorporation": [corporations[number % len(corporations)]]}
            case 3 | 4:
                one |= {"corporation": [victims[number % len(victims)]]}
            case 5 | 6:
                one |= {"system": [systems[number % len(systems)], systems[(number + 7) % len(systems)]]}
            case 7:
                one |= {"item": [items[number % len(items)]]}
            case 8:
                one |= {"or": [{"solo": True}, {"not": {"space": ["highsec", "lowsec"]}}]}
            case _:
                one["valueMin"] = number * 1_000_000
        found.append(one)
    return found


async def expected_of(
    database: Database, universe: Universe, ids: Sequence[int], filters: Sequence[dict[str, Any]]
) -> list[set[int]]:
    """Return for each filter the ids that pass it."""
    async with database.connection() as connection:
        rows = await get_killmails(connection, ids)
        attackers, items = await list_attackers(connection, ids), await list_items(connection, ids)
    facts = [Facts(r, attackers.get(r.killmail_id, ()), items.get(r.killmail_id, ()), universe) for r in rows]
    wanted = [KillmailFilter.read(plain) for plain in filters]
    return [{fact.killmail.killmail_id for fact in facts if one.matches(fact)} for one in wanted]


async def burst(database: Database, arrivals: Sequence[Arrival]) -> dict[int, float]:
    """Store them, a few a transaction, and return when each was committed."""
    writer = await load_writer(database)
    committed: dict[int, float] = {}
    for first in range(0, len(arrivals), BATCH):
        batch = arrivals[first : first + BATCH]
        await writer.store(database, batch)
        committed.update({arrival.mail.killmail_id: time.perf_counter() for arrival in batch})
    return committed


async def measure(subscribers: int, kills: int) -> dict[str, object]:
    """Return the figures of one subscriber of everything and of many with filters."""
    generator = Generator(read_packaged_universe(), World(1))
    mails = [generator.generate(number, BEGIN + number) for number in range(kills)]
    filters = make_filters(subscribers, mails)
    baseline = await _measure_once([{}], mails)
    return {"one_of_everything": baseline, "filtered": await _measure_once(filters, mails)}


async def _measure_once(filters: Sequence[dict[str, Any]], mails: Sequence[dict[str, Any]]) -> dict[str, object]:
    arrivals = [Arrival(decode_killmail(msgspec.json.encode(mail)), "bench", is_from_feed=True) for mail in mails]
    universe = read_packaged_universe()
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        # What passes is told by rows, so the burst is stored once beforehand, in a database nobody follows.
        rehearsal = await stack.enter_async_context(bench_database(server))
        url = await stack.enter_async_context(bench_database(server))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        local = Settings.model_validate({"home": home, "database_url": url, "log_level": "warning"})
        port = free_port()
        settings = local.replace(api_port=port)
        before = await stack.enter_async_context(open_database(local.replace(database_url=rehearsal)))
        database = await stack.enter_async_context(open_database(local))
        await burst(before, arrivals)
        expected = await expected_of(before, universe, [a.mail.killmail_id for a in arrivals], filters)
        session = await stack.enter_async_context(aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)))
        process = await stack.enter_async_context(
            running("run", "killreport-backend", environment=child_environment(settings))
        )
        await wait_for(session, f"http://127.0.0.1:{port}/healthz")
        idle = memory_mb(process.pid)
        readers = [Reader(plain, wanted) for plain, wanted in zip(filters, expected, strict=True)]
        ready = asyncio.Semaphore(0)
        address = f"ws://127.0.0.1:{port}/graphql"
        tasks = [asyncio.create_task(reader.read(session, address, ready)) for reader in readers]
        for _ in readers:
            await ready.acquire()
        subscribed = memory_mb(process.pid)
        began = time.perf_counter()
        committed = await burst(database, arrivals)
        await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return {
            **figures(readers, committed, began),
            "pss_mb": {
                "idle": idle["pss_mb"],
                "subscribed": subscribed["pss_mb"],
                "after": memory_mb(process.pid)["pss_mb"],
            },
        }


def figures(readers: Sequence[Reader], committed: dict[int, float], began: float) -> dict[str, object]:
    """Return what was delivered, and how late: from the commit to the subscriber's hand."""
    late = sorted(1000 * max(0.0, at - committed[mail]) for reader in readers for mail, at in reader.received.items())
    last = max(at for reader in readers for at in reader.received.values())
    return {
        "subscribers": len(readers),
        "different_filters": len({KillmailFilter.read(reader.plain) for reader in readers}),
        "killmails": len(committed),
        "messages": len(late),
        "missed": sum(len(reader.expected - reader.received.keys()) for reader in readers),
        "too_many": sum(len(reader.received.keys() - reader.expected) + reader.repeated for reader in readers),
        "storing_seconds": round(max(committed.values()) - began, 2),
        "all_delivered_seconds": round(last - began, 2),
        "messages_per_second": round(len(late) / (last - began)),
        "median_ms": round(statistics.median(late), 1),
        "p99_ms": round(late[max(0, int(len(late) * 0.99) - 1)], 1),
    }


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--subscribers", type=int, default=1000)
    parser.add_argument("--kills", type=int, default=500)
    options = parser.parse_args()
    print(json.dumps(asyncio.run(measure(options.subscribers, options.kills)), indent=1))


if __name__ == "__main__":
    main()
