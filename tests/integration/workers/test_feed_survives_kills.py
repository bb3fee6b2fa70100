"""kill -9 of the real worker at random moments while a faulty feed publishes: nothing lost, nothing twice.

KILLREPORT_TEST_CHAOS_ROUNDS: how many kills (default 5). KILLREPORT_TEST_CHAOS_MAILS: how many killmails (default 250):
real ones where the real data is, else made-up ones. KILLREPORT_TEST_CHAOS_SEED: repeats a run's choices (default 1).
"""

from __future__ import annotations

import asyncio
import itertools
import json
import os
import random
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.http import HttpClient, Pacer, open_session
from killreport.killmail.mail.archive import read_records
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.items import flatten_items
from killreport.killmail.writing.recount import recount_differences
from killreport.sim.server import run_simulator
from killreport.sim.world.journal import FIRST_SEQUENCE
from killreport.zkillboard.history import HistoryReader
from tests.conftest import DATA

ROUNDS = int(os.environ.get("KILLREPORT_TEST_CHAOS_ROUNDS", "5"))
MAILS = int(os.environ.get("KILLREPORT_TEST_CHAOS_MAILS", "250"))
SEED = int(os.environ.get("KILLREPORT_TEST_CHAOS_SEED", "1"))
PATIENCE_SECONDS = 60
FAULTS: dict[str, Any] = {
    "latency_ms": 2,
    "error_rate": 0.05,
    "truncate_rate": 0.03,
    "duplicate_rate": 0.05,
    "reorder_rate": 0.05,
    "gap_rate": 0.01,
    "gap_seconds": 0.6,
}
BURST_404 = 20
# A worker of this age may be anywhere from its first import to its first request.
STARTING_SECONDS = 1.0
# About what one package takes, from the request to the commit.
PACKAGE_SECONDS = 0.02


@dataclass
class Worker:
    """One life of `killreport run worker-redisq`."""

    process: asyncio.subprocess.Process

    async def read_until(self, is_so: Callable[[dict[str, Any]], bool]) -> bool:
        """Read its log until a line makes it so; return False when it ended before."""
        assert self.process.stderr is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := await self.process.stderr.readline():
                if line.startswith(b"{") and is_so(json.loads(line)):
                    return True
        return False

    async def end(self, number: signal.Signals) -> int:
        """Send a signal, and return the status the process ended with, its log read to the end."""
        if self.process.returncode is None:
            self.process.send_signal(number)
        await self.process.communicate()
        assert self.process.returncode is not None
        return self.process.returncode


@asynccontextmanager
async def start_worker(settings: Settings, url: str) -> AsyncIterator[Worker]:
    assert settings.database_url is not None
    environment = {
        "KILLREPORT_HOME": str(settings.home),
        "KILLREPORT_DATABASE_URL": settings.database_url.get_secret_value(),
        "KILLREPORT_R2Z2_URL": url,
        "KILLREPORT_ESI_URL": url,
        "KILLREPORT_FEED_REQUESTS_PER_SECOND": "5000",
        "KILLREPORT_FEED_WAIT_SECONDS": "0.02",
        "KILLREPORT_FEED_GAP_SECONDS": "0.3",
        "KILLREPORT_LOG_FORMAT": "json",
    }
    command = (sys.executable, "-m", "killreport", "run", "worker-redisq")
    process = await asyncio.create_subprocess_exec(*command, env=environment, stderr=asyncio.subprocess.PIPE)
    worker = Worker(process)
    try:
        yield worker
    finally:
        await worker.end(signal.SIGKILL)


async def kill_at_a_random_moment(worker: Worker, chance: random.Random, lines: int) -> None:
    """Kill the worker while it starts, or some time into the package after a random one of its next lines."""
    if chance.random() < 0.2:
        await asyncio.sleep(chance.uniform(0, STARTING_SECONDS))
    else:
        countdown = itertools.count(chance.randrange(1, lines), -1)
        assert await worker.read_until(lambda _: next(countdown) <= 1), "the worker ended by itself"
        await asyncio.sleep(chance.uniform(0, PACKAGE_SECONDS))
    assert await worker.end(signal.SIGKILL) == -signal.SIGKILL


@pytest.fixture
def corpus(tmp_path: Path) -> tuple[Path, ...]:
    """Return a file with the first of the real killmails, or nothing where they are absent."""
    archives = sorted((DATA / "killmails" / "everef").glob("*.tar.bz2"))
    if not archives:
        return ()
    path = tmp_path / "corpus.jsonl"
    with archives[0].open("rb") as stream, path.open("wb") as out:
        for record in itertools.islice(read_records(stream, archives[0].name), MAILS):
            out.write(msgspec.json.format(record.body, indent=0).replace(b"\n", b"") + b"\n")
    return (path,)


async def post(url: str, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with aiohttp.ClientSession() as session, session.post(f"{url}{path}", json=body) as response:
        answer: dict[str, Any] = await response.json()
        return answer


async def read_published(url: str, settings: Settings) -> dict[int, tuple[str, int, int]]:
    """Return the hash and the numbers of attackers and items of everything the simulator has published."""
    found = {}
    async with open_session(settings) as session:
        history = HistoryReader(HttpClient(session, Pacer(10_000)), url)
        for day in await history.totals():
            hashes = await history.hashes(day)
            async for killmail_id, body in history.killmails(day):
                mail = decode_killmail(body)
                found[killmail_id] = (hashes[killmail_id], len(mail.attackers), len(flatten_items(mail)))
    return found


async def read_stored(database: Database) -> dict[int, tuple[str, int, int]]:
    """Return the same of everything stored, counted from the rows."""
    async with database.connection() as connection:
        rows = await connection.fetch(
            """select killmail_id, killmail_hash as hash,
                      (select count(*) from attacker a where a.killmail_id = k.killmail_id) as attackers,
                      (select count(*) from item i where i.killmail_id = k.killmail_id) as items
               from analysis.killmails k"""
        )
    return {row["killmail_id"]: (row["hash"], row["attackers"], row["items"]) for row in rows}


async def catch_up(worker: Worker, database: Database, head: int, count: int) -> None:
    """Let the worker run until it stands after the head and nothing is missing, then end it as the fleet does."""

    async def is_done() -> bool:
        async with database.connection() as connection:
            cursor = await connection.fetchval("select next_sequence from feed_cursor where feed = 'r2z2'")
            return bool(cursor == head + 1 and await connection.fetchval("select count(*) from killmail") == count)

    while not await is_done():
        assert await worker.read_until(lambda line: line["event"].startswith("killmail_")), "the worker ended by itself"
    # Where nothing was left to do it may be told before it is so far that it can be told.
    assert await worker.end(signal.SIGTERM) in (0, -signal.SIGTERM)


@pytest.mark.chaos
async def test_a_worker_that_is_killed_again_and_again_stores_every_killmail_once(
    settings: Settings, database: Database, universe: Universe, tmp_path: Path, corpus: tuple[Path, ...]
) -> None:
    chance = random.Random(SEED)
    async with database.connection() as connection:
        await connection.execute("insert into feed_cursor values ('r2z2', $1)", FIRST_SEQUENCE)
    async with run_simulator(tmp_path / "sim", universe=universe, seed=SEED, corpus=corpus, **FAULTS) as url:
        share = MAILS // ROUNDS
        for left in reversed(range(ROUNDS)):
            await post(url, "/control/publish", {"count": share if left else MAILS - share * (ROUNDS - 1)})
            await post(url, "/control/faults", {"burst_404": BURST_404})
            async with start_worker(settings, url) as worker:
                await kill_at_a_random_moment(worker, chance, lines=share)
        head = (await post(url, "/control/publish", {"count": 0}))["head"]
        await post(url, "/control/faults", dict.fromkeys(("error_rate", "truncate_rate"), 0))
        published = await read_published(url, settings)
        await post(url, "/control/faults", {name: FAULTS[name] for name in ("error_rate", "truncate_rate")})
        async with start_worker(settings, url) as worker:
            await catch_up(worker, database, head, len(published))

    assert await read_stored(database) == published
    assert len(published) == MAILS
    async with database.connection() as connection:
        assert await recount_differences(connection) == []
        assert await connection.fetchval("select next_sequence from feed_cursor") == head + 1
        assert await connection.fetch("select * from quarantine") == []
        told = await connection.fetch("select unnest(killmail_ids) from event where kind = 'stored'")
    assert sorted(row[0] for row in told) == sorted(published)
