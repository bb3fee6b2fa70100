"""The board's own feed: its numbers, and killmails made again from their rows."""

from __future__ import annotations

import asyncio
import json
import tarfile
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from killreport.clock import utc_now
from killreport.config import Settings
from killreport.db.database import Database
from killreport.ingest.reading import load_writer
from killreport.killmail.mail.arrival import Arrival, read_arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.shown.esi_body import esi_body, load_full_killmails
from killreport.killmail.stored.event import INSERT_LIVE, SETTLED_AFTER, Kind, tell
from killreport.killmail.stored.published import (
    KIND_STRETCH,
    KINDS,
    LIVE_STRETCH,
    MAX_PUBLISHED,
    MAX_SEQUENCE,
    PLACE_STRETCH,
    list_places,
    list_published,
    next_sequence,
)
from killreport.killmail.stored.queries import get_killmails
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.kills import NOON, arrival, store

# Keys that EVE Ref adds to ESI's document.
ADDED = ("http_last_modified", "killmail_hash")
BATCH = 500


async def numbers(database: Database, first: int = 0, limit: int = 100) -> list[tuple[int, int]]:
    async with database.connection() as connection:
        return [(entry.sequence, entry.killmail_id) for entry in await list_published(connection, first, limit)]


async def test_killmails_are_numbered_from_one_in_the_order_they_were_stored(
    writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(30), arrival(10))
    await store(writer, database, arrival(20))

    assert await numbers(database) == [(1, 10), (2, 30), (3, 20)]
    assert await numbers(database, first=2, limit=1) == [(2, 30)]
    assert await numbers(database, first=3) == [(3, 20)]
    assert await numbers(database, first=4) == []
    async with database.connection() as connection:
        assert await next_sequence(connection) == 4


async def test_any_stretch_of_numbers_is_the_same_whatever_events_it_crosses(
    writer: KillmailWriter, database: Database
) -> None:
    ids = iter(range(100, 120))
    for size in (3, 1, 5, 2):
        await store(writer, database, *(arrival(next(ids)) for _ in range(size)))
    everything = [(1 + place, 100 + place) for place in range(11)]

    for first in range(1, 13):
        for limit in (1, 2, 4, 20):
            assert await numbers(database, first, limit) == everything[first - 1 : first - 1 + limit]
            assert (
                await places(database, first, limit) == [(n, m, "stored") for n, m in everything][first - 1 :][:limit]
            )
    assert await numbers(database, MAX_SEQUENCE, MAX_PUBLISHED) == []


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        (LIVE_STRETCH, "event_by_sequence"),
        (PLACE_STRETCH, "event_by_place"),
        (KIND_STRETCH, "event_by_kind"),
    ],
)
async def test_a_stretch_of_numbers_is_read_off_an_index(database: Database, statement: str, index: str) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into event (kind, killmail_ids, first_place, first_sequence) "
            "select case number % 100 when 0 then 'changed' else 'stored' end, array[number], number, "
            "case number % 100 when 0 then null else number end from generate_series(0, 20000) number"
        )
        await connection.execute("analyze event")
        values = (12_345, 100, "changed")[: 3 if "$3" in statement else 2]
        plan = "\n".join(row[0] for row in await connection.fetch(f"explain {statement}", *values))

    assert f"Index Scan using {index}" in plan
    assert "Seq Scan" not in plan


async def test_to_publish_costs_the_same_however_many_numbers_are_unsettled(database: Database) -> None:
    async with database.connection() as connection:
        await connection.execute(
            "insert into unsettled_number (killmail_id, sequence, published_at, is_rewritten) "
            "select number, number, now(), number % 3 = 0 from generate_series(1, 20000) number"
        )
        await connection.execute("analyze unsettled_number")
        rows = await connection.fetch(f"explain {INSERT_LIVE}", [30_000], SETTLED_AFTER)
    assert [row[0] for row in rows if "Seq Scan" in row[0] and "unsettled_number" in row[0]] == []


async def test_nothing_stored_has_no_number(database: Database) -> None:
    assert await numbers(database) == []
    async with database.connection() as connection:
        assert await next_sequence(connection) == 1


async def test_a_transaction_that_fails_leaves_no_hole(writer: KillmailWriter, database: Database) -> None:
    await store(writer, database, arrival(1))
    try:
        async with database.transaction() as connection:
            await tell(connection, [7, 8], [])
            raise asyncpg.PostgresError("given up")
    except asyncpg.PostgresError:
        pass
    await store(writer, database, arrival(2))

    assert await numbers(database) == [(1, 1), (2, 2)]


async def test_writers_side_by_side_share_one_dense_row_of_numbers(writer: KillmailWriter, database: Database) -> None:
    await asyncio.gather(*(store(writer, database, arrival(100 + place)) for place in range(20)))

    found = await numbers(database)

    assert [sequence for sequence, _ in found] == list(range(1, 21))
    assert sorted(killmail_id for _, killmail_id in found) == list(range(100, 120))


async def change(database: Database, *killmail_ids: int) -> None:
    async with database.transaction() as connection:
        await tell(connection, [], killmail_ids)


async def named(database: Database) -> dict[int, int | None]:
    async with database.connection() as connection:
        return {entry.sequence: entry.rewritten for entry in await list_published(connection, 0, 100)}


async def test_a_changed_killmail_keeps_its_number_and_the_next_package_names_it(
    writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, arrival(10), arrival(20))
    await change(database, 10)
    assert await numbers(database) == [(1, 10), (2, 20)]

    await store(writer, database, arrival(30))
    await store(writer, database, arrival(40))

    assert await numbers(database) == [(1, 10), (2, 20), (3, 30), (4, 40)]
    assert await named(database) == {1: None, 2: None, 3: 1, 4: None}


async def test_many_changes_are_named_one_a_package_the_youngest_number_first_and_each_once(
    writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, *(arrival(number) for number in range(10, 15)))
    await change(database, 10, 13)
    await change(database, 10, 11)
    await store(writer, database, arrival(20), arrival(21))
    await change(database, 20)
    await store(writer, database, *(arrival(number) for number in range(30, 34)))

    assert await named(database) == {**dict.fromkeys(range(1, 6)), 6: 4, 7: 2, 8: 6, 9: 1, 10: None, 11: None}


async def test_a_settled_number_is_not_named_and_what_waits_to_be_is_bounded(
    writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, *(arrival(number) for number in range(10, 40)))
    async with database.connection() as connection:
        await connection.execute("update unsettled_number set published_at = published_at - interval '8 days'")
    for number in range(50, 53):
        await store(writer, database, arrival(number))
    await change(database, 10)
    await store(writer, database, arrival(60))

    assert set((await named(database)).values()) == {None}
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from unsettled_number") == 4


async def places(database: Database, first: int = 0, limit: int = 100, *kinds: Kind) -> list[tuple[int, int, str]]:
    async with database.connection() as connection:
        found = await list_places(connection, first, limit, kinds or KINDS)
    return [(entry.sequence, entry.killmail_id, entry.kind) for entry in found]


def listed(mail_id: int, time: datetime = NOON) -> Arrival:
    """Return a killmail that no feed brought."""
    return replace(arrival(mail_id, time), is_from_feed=False)


async def test_history_has_a_place_in_the_feed_of_everything_and_no_number(
    writer: KillmailWriter, database: Database
) -> None:
    fresh = utc_now() - timedelta(hours=23)
    await store(writer, database, arrival(1), listed(2), listed(3, fresh), arrival(4))
    await change(database, 2)

    assert await numbers(database) == [(1, 1), (2, 3), (3, 4)]
    assert await places(database) == [
        (1, 2, "history"), (2, 1, "stored"), (3, 3, "stored"), (4, 4, "stored"), (5, 2, "changed"),
    ]  # fmt: skip
    async with database.connection() as connection:
        rows = await connection.fetch("select killmail_id from killmail where is_history")
    assert [row[0] for row in rows] == [2]


async def test_what_is_history_is_for_the_operator_to_say(
    database: Database, writer: KillmailWriter, settings: Settings
) -> None:
    strict, generous = settings.replace(history_after_hours=0), settings.replace(history_after_hours=100_000)
    await store(await load_writer(database, strict), database, listed(1, utc_now() - timedelta(minutes=1)))
    await store(await load_writer(database, generous), database, listed(2))

    assert await places(database) == [(1, 1, "history"), (2, 2, "stored")]


async def test_a_stretch_of_some_kinds_is_what_everything_has_of_them(
    writer: KillmailWriter, database: Database
) -> None:
    await store(writer, database, *(listed(number) for number in range(10, 15)))
    await store(writer, database, arrival(20))
    await change(database, 10, 12)
    await store(writer, database, *(listed(number) for number in range(30, 33)))
    await change(database, 20)
    everything = await places(database)

    for kinds in (("changed",), ("history",), ("stored", "changed"), ("history", "changed")):
        wanted = [entry for entry in everything if entry[2] in kinds]
        for first in range(14):
            for limit in (1, 3, 100):
                expected = [entry for entry in wanted if entry[0] >= first][:limit]
                assert await places(database, first, limit, *kinds) == expected


async def rebuilt(database: Database, killmail_ids: list[int]) -> dict[int, dict[str, Any]]:
    async with database.connection() as connection:
        whole = await load_full_killmails(connection, await get_killmails(connection, killmail_ids))
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
