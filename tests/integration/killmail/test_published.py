"""The board's own feed: its numbers, and killmails made again from their rows."""

from __future__ import annotations

import asyncio
import json
import tarfile
from pathlib import Path
from typing import Any

import asyncpg

from killreport.db.database import Database
from killreport.killmail.arrival import read_arrival
from killreport.killmail.decode import decode_killmail
from killreport.killmail.esi_body import esi_body, load_whole
from killreport.killmail.hash import killmail_hash
from killreport.killmail.published import MOST_PUBLISHED, MOST_SEQUENCE, STRETCH, list_published, next_sequence
from killreport.killmail.queries import get_killmails
from killreport.killmail.store import KillmailWriter, tell
from tests.integration.kills import arrival, store

# Keys that EVE Ref adds to ESI's document.
ADDED = ("http_last_modified", "killmail_hash")
BATCH = 500


async def numbers(database: Database, first: int = 0, limit: int = 100) -> list[tuple[int, int]]:
    async with database.connection() as connection:
        return [(entry.sequence, entry.killmail_id) for entry in await list_published(connection, first, limit)]


async def test_killmails_are_numbered_from_zero_in_the_order_they_were_stored(
    writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(30), arrival(10))
    await store(writer, database, arrival(20))

    assert await numbers(database) == [(0, 10), (1, 30), (2, 20)]
    assert await numbers(database, first=1, limit=1) == [(1, 30)]
    assert await numbers(database, first=2) == [(2, 20)]
    assert await numbers(database, first=3) == []
    async with database.connection() as connection:
        assert await next_sequence(connection) == 3


async def test_any_stretch_of_numbers_is_the_same_whatever_events_it_crosses(
    writer: KillmailWriter, database: Database
) -> None:
    ids = iter(range(100, 120))
    for size in (3, 1, 5, 2):
        await store(writer, database, *(arrival(next(ids)) for _ in range(size)))
    everything = [(place, 100 + place) for place in range(11)]

    for first in range(12):
        for limit in (1, 2, 4, 20):
            assert await numbers(database, first, limit) == everything[first : first + limit]
    assert await numbers(database, MOST_SEQUENCE, MOST_PUBLISHED) == []


async def test_a_stretch_of_numbers_is_read_off_an_index(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into event (kind, killmail_ids, first_sequence) "
            "select 'stored', array[number], number from generate_series(0, 20000) number"
        )
        await connection.execute("analyze event")
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {STRETCH}", 12_345, 100))

    assert "Index Scan using event_by_sequence" in plan
    assert "Seq Scan" not in plan


async def test_nothing_stored_has_no_number(database: Database) -> None:
    assert await numbers(database) == []
    async with database.connection() as connection:
        assert await next_sequence(connection) == 0


async def test_a_transaction_that_fails_leaves_no_hole(writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1))
    try:
        async with database.transaction() as connection:
            await tell(connection, [7, 8], [])
            raise asyncpg.PostgresError("given up")
    except asyncpg.PostgresError:
        pass
    await store(writer, database, arrival(2))

    assert await numbers(database) == [(0, 1), (1, 2)]


async def test_writers_side_by_side_share_one_dense_row_of_numbers(writer: KillmailWriter, database: Database) -> None:
    await asyncio.gather(*(store(writer, database, arrival(100 + place)) for place in range(20)))

    found = await numbers(database)

    assert [sequence for sequence, _ in found] == list(range(20))
    assert sorted(killmail_id for _, killmail_id in found) == list(range(100, 120))


async def test_a_changed_killmail_is_published_again(writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1), arrival(2))
    async with database.transaction() as connection:
        await tell(connection, [], [1])

    assert await numbers(database) == [(0, 1), (1, 2), (2, 1)]


async def rebuilt(database: Database, killmail_ids: list[int]) -> dict[int, dict[str, Any]]:
    async with database.connection() as connection:
        whole = await load_whole(connection, await get_killmails(connection, killmail_ids))
    return {killmail.row.killmail_id: esi_body(killmail) for killmail in whole}


async def test_real_killmails_are_made_again_as_they_were(
    writer: KillmailWriter, database: Database, data: Path
) -> None:
    bodies: list[bytes] = []
    with tarfile.open(data / "killmails/everef/killmails-2021-12-02.tar.bz2") as archive:
        for member in archive:
            file = archive.extractfile(member)
            if file is not None:
                bodies.append(file.read())
    bodies = bodies[::4]  # the whole day takes half a minute
    for start in range(0, len(bodies), BATCH):
        batch = bodies[start : start + BATCH]
        originals = {mail["killmail_id"]: mail for mail in map(json.loads, batch)}
        await store(writer, database, *(read_arrival(body, "test", "test") for body in batch))

        found = await rebuilt(database, list(originals))

        for killmail_id, original in originals.items():
            claimed = original["killmail_hash"]
            for name in ADDED:
                original.pop(name, None)
            assert found[killmail_id] == original
            assert json.dumps(found[killmail_id]).startswith('{"attackers": [{')
            assert killmail_hash(decode_killmail(json.dumps(found[killmail_id]).encode())).hex() == claimed
    assert len(bodies) > 2_000
