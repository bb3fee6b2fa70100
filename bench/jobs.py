"""What the scheduled jobs cost at the sizes of production: 93,000 characters, 25,000 corporations, 3,500 alliances.

Queueing everyone is measured beside a plain publishing loop; the way over ESI's affiliations beside reading everyone
at the same budget, against the simulator; valuing killmails again beside storing them. The snapshots' statements are
counted.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import logging
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import structlog

from bench.databases import bench_database, bench_server
from bench.queueing import plain_postgresql, plain_rabbitmq, virtual_host
from killreport.config import Settings
from killreport.cron.running import JobReport, run_job
from killreport.db.database import Connection, Database, open_database
from killreport.eve.load import read_packaged_universe
from killreport.ingest.reading import load_writer
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.writing.revalue import load_revaluer
from killreport.killmail.writing.revalue_due import revalue_due
from killreport.market.store import PriceDay, store_prices
from killreport.queueing.messages import CharacterMessage, encode
from killreport.sim.server import run_simulator
from killreport.sim.world.generator import Generator
from killreport.sim.world.people import FIRST_CHARACTER_ID, World

CORPORATIONS = 25_000
ALLIANCES = 3_500
MAILS = 5_000
# Of the characters, how many moved since the last month, and how many were not read for a quarter of a year.
MOVED = 0.05
STALE = 0.05
LATENCY_MS = 30.0


class CountingDatabase(Database):
    """A database that counts its statements."""

    def __init__(self, inner: Database) -> None:
        super().__init__(inner.url, inner.pool)
        self.statements = 0

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Connection]:
        """Lend a connection inside a transaction, listened to."""

        def note(_query: object) -> None:
            self.statements += 1

        async with super().transaction() as connection:
            with connection.query_logger(note):
                yield connection


async def run(name: str, settings: Settings, database: Database, *, everything: bool = False) -> JobReport:
    """Run a job to its end."""
    return await run_job(name, settings, database, stop=asyncio.Event(), everything=everything)


async def store_characters(database: Database, count: int) -> None:
    """Store characters as the simulator has them, but for those who moved; the last of them are stale."""
    world = World(1)
    now = datetime.now(UTC)
    rows = []
    for number in range(count):
        character_id = FIRST_CHARACTER_ID + number
        home = world.affiliation(character_id)
        has_moved = number < count * MOVED
        read_at = now - timedelta(days=100 if number >= count * (1 - STALE) else 1)
        corporation_id = 98_000_001 if has_moved else home.corporation_id
        rows.append((character_id, f"Pilot {number}", read_at, corporation_id, home.alliance_id, home.faction_id))
    columns = ("character_id", "name", "refreshed_at", "corporation_id", "alliance_id", "faction_id")
    async with database.connection() as connection:
        await connection.execute("truncate character")
        await connection.copy_records_to_table("character", records=rows, columns=columns)
        await connection.execute("analyze character")


async def measure_everyone(settings: Settings, count: int) -> dict[str, object]:
    """Return how long `queue-characters --all` takes, beside a plain loop that publishes the same."""
    async with open_database(settings) as database:
        await store_characters(database, count)
        bodies = [encode(CharacterMessage(FIRST_CHARACTER_ID + number)) for number in range(count)]
        if settings.broker_url is None:
            plain = await plain_postgresql(database, bodies)
        else:
            plain = await plain_rabbitmq(settings.broker_url.get_secret_value(), bodies, settings.broker_queue_type)
        report = await run("queue-characters", settings, database, everything=True)
    assert report.counts["queued"] == count
    return {
        "seconds": round(report.seconds, 2),
        "messages_per_second": round(count / report.seconds),
        "plain_loop_seconds": round(plain, 2),
        "plain_loop_per_second": round(count / plain),
        "times_as_fast": round(plain / report.seconds, 2),
    }


async def measure_due(settings: Settings, count: int) -> dict[str, object]:
    """Return what asking the affiliations first costs and saves, at the default budget."""
    with tempfile.TemporaryDirectory(prefix="killreport-bench-") as home:
        # A random latency between nothing and twice the mean.
        async with run_simulator(Path(home), latency_ms=2 * LATENCY_MS) as url, open_database(settings) as database:
            await store_characters(database, count)
            chosen = settings.replace(esi_url=url)
            report = await run("queue-characters", chosen, database)
            async with aiohttp.ClientSession() as session, session.get(f"{url}/control/status") as answer:
                calls = (await answer.json())["requests_by_route"]["/characters/affiliation"]
    queued = report.counts["queued"]
    budget = settings.esi_requests_per_second
    return {
        "seconds": round(report.seconds, 2),
        "affiliation_calls": calls,
        "characters_queued": queued,
        "calls_to_read_everyone": count,
        "calls_this_way": calls + queued,
        "calls_saved": count - calls - queued,
        "minutes_to_read_everyone": round(count / budget / 60, 1),
        "minutes_this_way": round((report.seconds + queued / budget) / 60, 1),
    }


async def measure_figures(settings: Settings) -> dict[str, object]:
    """Return seconds and statements of the three jobs of 01:00, on an empty day and again on a full one."""
    async with open_database(settings) as inner:
        database = CountingDatabase(inner)
        async with database.connection() as connection:
            await connection.execute(
                f"""insert into alliance (alliance_id, name, ticker)
                    select 99000000 + n, 'Alliance ' || n, 'T' || n from generate_series(1, {ALLIANCES}) n;
                    insert into corporation (corporation_id, name, ticker, ceo_id, alliance_id, member_count)
                    select 98000000 + n, 'Corporation ' || n, 'T' || n, 90000000 + n,
                           99000000 + n % ({ALLIANCES} * 2), n % 100 from generate_series(1, {CORPORATIONS}) n;
                    insert into daily_stat select 3, 99000000 + n, date '2026-01-01' + d, 1, 1, 0, 0, 1, 1, 1, 1, 0, 0
                    from generate_series(1, {ALLIANCES}) n, generate_series(1, 100) d;
                    analyze"""
            )
        found: dict[str, object] = {}
        for name in ("snapshot-alliances", "snapshot-corporations", "update-alliance-counts"):
            for when in ("first", "again"):
                database.statements = 0
                report = await run(name, settings, database)
                # One transaction records the run's begin: three statements that are no part of the work.
                found[f"{name} {when}"] = {
                    **report.counts,
                    "seconds": report.seconds,
                    "statements": database.statements - 3,
                }
        return found


async def measure_revaluation(settings: Settings) -> dict[str, object]:
    """Return how long it takes to value made-up killmails again after a price came for everything they name."""
    universe = read_packaged_universe()
    generator = Generator(universe, World(1))
    noon = datetime(2026, 1, 15, 12, tzinfo=UTC)
    mails = [
        decode_killmail(msgspec.json.encode(generator.generate(sequence, int(noon.timestamp()) + sequence)))
        for sequence in range(MAILS)
    ]
    async with open_database(settings) as database:
        writer = await load_writer(database)
        began = time.perf_counter()
        for first in range(0, MAILS, 500):
            await writer.store(database, [Arrival(mail, "bench") for mail in mails[first : first + 500]])
        stored = time.perf_counter() - began
        prices = [PriceDay(type_id, noon.date(), 123_456, "bench") for type_id in universe.types]
        async with database.connection() as connection:
            await store_prices(connection, prices)
        changed: list[int] = []
        revaluer = await load_revaluer(database)
        passes = []
        for _ in range(2):
            began = time.perf_counter()
            await revalue_due(database, revaluer, most=10 * MAILS, on_batch=lambda done: changed.append(done.changed))
            passes.append(time.perf_counter() - began)
            async with database.connection() as connection:
                await connection.execute("insert into value_due values ($1) on conflict do nothing", noon.date())
    return {
        "killmails": MAILS,
        "changed": sum(changed),
        "per_second": round(MAILS / passes[0]),
        "ratio_storing_to_valuing_again": round(stored / passes[0], 2),
        "per_second_nothing_to_change": round(MAILS / passes[1]),
    }


async def measure_all(count: int) -> dict[str, Any]:
    """Return all figures; RabbitMQ's where there is one."""
    report: dict[str, Any] = {"characters": count}
    async with bench_server() as server, bench_database(server) as url:
        settings = Settings.model_validate({"database_url": url})
        report["queue_everyone_postgresql"] = await measure_everyone(settings, count)
        async with virtual_host() as broker_url:
            if broker_url is not None:
                chosen = settings.replace(broker_url=broker_url)
                report["queue_everyone_rabbitmq"] = await measure_everyone(chosen, count)
        report["affiliations_first"] = await measure_due(settings, count)
        report["figures"] = await measure_figures(settings)
        report["revaluation"] = await measure_revaluation(settings)
    return report


def main(arguments: Sequence[str] | None = None) -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=93_000, help="characters; the default is production's number")
    options = parser.parse_args(arguments)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    print(json.dumps(asyncio.run(measure_all(options.count)), indent=1))


if __name__ == "__main__":
    main()
