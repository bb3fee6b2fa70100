"""Followers of the live doors, over a run of prices and an import: packages are kills, and nothing is old.

aa-killtracker's own fetching code reads R2Z2's shape; a reader of RedisQ and a subscriber are the test's.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from io import BytesIO
from itertools import count
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest

from killreport.clock import utc_now
from killreport.db.database import Database
from killreport.ingest.importing import import_stream
from killreport.killmail.writing.revalue import Revalued, load_revaluer
from killreport.killmail.writing.revalue_due import revalue_due
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.store import PriceDay, store_prices
from tests.integration.kills import DAMAGE_CONTROL, NOON, RIFTER, arrival, mail_body, store
from tests.integration.serving import GraphQL
from tests.venvs import programs_of

KILLTRACKER = Path(__file__).parents[2] / "clients" / "killtracker"
LIVE, OLD = 40, 60


@dataclass
class Board:
    """What happens on a board: kills come in by the feed, prices come, files are imported."""

    writer: KillmailWriter
    database: Database
    live_ids: list[int] = field(default_factory=list)
    _ids: Iterator[int] = field(default_factory=lambda: count(5_000))

    async def kills(self, number: int) -> None:
        """Have so many kills of the last minutes come in by the feed, one after the other."""
        for mail_id in (next(self._ids) for _ in range(number)):
            await store(self.writer, self.database, arrival(mail_id, utc_now() - timedelta(minutes=5)))
            self.live_ids.append(mail_id)

    async def delayed_kill(self) -> None:
        """Have a kill come in by the feed whose pilot held it back for three days."""
        mail_id = next(self._ids)
        await store(self.writer, self.database, arrival(mail_id, utc_now() - timedelta(hours=72)))
        self.live_ids.append(mail_id)

    async def run_of_prices(self) -> int:
        """Have the prices of today come in; returns how many kills have another value."""
        days = {utc_now().date() - timedelta(days=age) for age in range(5)} | {NOON.date()}
        async with self.database.connection() as connection:
            cents = {RIFTER: 77_000_000, DAMAGE_CONTROL: 12_345_678}
            rows = [PriceDay(type_id, day, amount, "test") for day in days for type_id, amount in cents.items()]
            await store_prices(connection, rows)
        batches: list[Revalued] = []
        revaluer = await load_revaluer(self.database)
        await revalue_due(self.database, revaluer, most=10_000, on_batch=batches.append)
        return sum(batch.changed for batch in batches)

    async def import_of_years_ago(self) -> None:
        """Import a file of killmails of 2021."""
        bodies = [mail_body(mail_id, NOON) for mail_id in range(100, 100 + OLD)]
        lines = b"".join(msgspec.json.encode(body) + b"\n" for body in bodies)
        tally = await import_stream(self.database, self.writer, BytesIO(lines), name="2021.jsonl")
        assert tally.stored == OLD


@pytest.fixture
async def board(writer: KillmailWriter, database: Database) -> Board:
    """Return a board that has seen some kills, all of them without a market price."""
    board = Board(writer, database)
    await board.kills(5)
    return board


async def happen(board: Board) -> None:
    """Have kills come in before, between and after a run of prices and an import."""
    await board.kills(LIVE)
    assert await board.run_of_prices() >= LIVE
    await board.kills(3)
    await board.import_of_years_ago()
    await board.delayed_kill()
    await board.kills(2)


class Killtracker:
    """aa-killtracker's fetching code in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process

    async def run(self) -> list[tuple[int, str, float]]:
        """Have it fetch until there is nothing more, and return what it fetched."""
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(b"run\n")
        async with asyncio.timeout(60):
            fetched: list[tuple[int, str, float]] = json.loads(await process.stdout.readline())
        return fetched


@pytest.fixture
async def killtracker(api: GraphQL, pytestconfig: pytest.Config) -> AsyncIterator[Killtracker]:
    """Yield one that follows the test's board; skips where it cannot be fetched."""
    programs = await asyncio.to_thread(programs_of, pytestconfig, KILLTRACKER / "requirements.txt", "--no-deps")
    process = await asyncio.create_subprocess_exec(
        *(str(programs / "python"), str(KILLTRACKER / "fetch.py"), api.address),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=2**24,
    )
    yield Killtracker(process)
    assert process.stdin is not None
    process.stdin.close()
    assert await process.wait() == 0


async def test_aa_killtracker_gets_each_kill_once_and_nothing_old(board: Board, killtracker: Killtracker) -> None:
    begun = len(board.live_ids) - 1  # it begins with the newest there is
    fetched = await killtracker.run()
    await happen(board)
    fetched += await killtracker.run()
    await board.kills(1)
    fetched += await killtracker.run()

    assert [killmail_id for killmail_id, _, _ in fetched] == board.live_ids[begun:]
    assert min(time for _, time, _ in fetched) > (utc_now() - timedelta(hours=73)).isoformat()


async def test_aa_killtracker_follows_a_board_from_its_first_kill_on(
    writer: KillmailWriter, database: Database, killtracker: Killtracker
) -> None:
    board = Board(writer, database)
    fetched = await killtracker.run()
    assert fetched == []
    for number in (1, 3):
        await board.kills(number)
        fetched += await killtracker.run()
    assert [killmail_id for killmail_id, _, _ in fetched] == board.live_ids


@asynccontextmanager
async def redisq(api: GraphQL) -> AsyncIterator[list[int]]:
    """Lend the list into which a reader of RedisQ's protocol writes what it gets, once its queue is there."""
    got: list[int] = []
    address = f"{api.address}/listen.php?queueID=reader&ttw=1"

    async def ask() -> Any:
        async with api.session.get(address) as response:
            assert response.status == 200
            return (await response.json())["package"]

    async def read() -> None:
        while True:
            package = await ask()
            if package is not None:
                got.append(package["killID"])

    assert await ask() is None
    reading = asyncio.ensure_future(read())
    try:
        yield got
    finally:
        reading.cancel()
        await asyncio.wait({reading})


async def until(got: list[int], last: int) -> None:
    """Wait until the last of them is there, and a moment more for what must not come."""
    for _ in range(600):
        if last in got:
            break
        await asyncio.sleep(0.1)
    await asyncio.sleep(1.5)


async def test_a_reader_of_redisq_gets_each_kill_once_and_nothing_old(board: Board, api: GraphQL) -> None:
    begun = len(board.live_ids)
    async with redisq(api) as got:
        await happen(board)
        await until(got, board.live_ids[-1])
    assert got == board.live_ids[begun:]


async def test_subscribers_get_each_kill_once_and_nothing_old(board: Board, api: GraphQL) -> None:
    begun = len(board.live_ids)
    document = "subscription { killmails { id } }"
    got: dict[str, list[int]] = {"socket": [], "events": []}

    async def read_socket(socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            got["socket"].append(message.json()["payload"]["data"]["killmails"]["id"])

    async def read_events(response: aiohttp.ClientResponse) -> None:
        async for line in response.content:
            if line.startswith(b"data: "):
                got["events"].append(json.loads(line[6:])["data"]["killmails"]["id"])

    accept = {"Accept": "text/event-stream"}
    async with (
        api.subscription(document) as socket,
        api.session.post(f"{api.address}/graphql", json={"query": document}, headers=accept) as response,
    ):
        assert response.status == 200
        reading = [asyncio.ensure_future(read_socket(socket)), asyncio.ensure_future(read_events(response))]
        await happen(board)
        for ids in got.values():
            await until(ids, board.live_ids[-1])
        for task in reading:
            task.cancel()
        await asyncio.wait(reading)
    # An event stored the moment before may come too.
    assert [[mail_id for mail_id in ids if mail_id in board.live_ids[begun:]] for ids in got.values()] == [
        board.live_ids[begun:]
    ] * 2
    assert all(set(ids) <= set(board.live_ids) for ids in got.values())
