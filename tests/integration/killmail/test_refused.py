"""What the database refuses costs the mail that holds it, never its batch, its file or its feed."""

from __future__ import annotations

import io
from typing import Any

import msgspec
import pytest

from killreport.db.database import Database
from killreport.ingest.importing import import_stream
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.stored.quarantine import KEPT_BYTES, MAX_TEXT, Reject
from killreport.killmail.writing.recount import recount_differences
from killreport.killmail.writing.store import FeedCursor, KillmailWriter, find_cursor
from tests.integration.killmail.mails import arrival, body

MODULE, MAX_WORTH = 2048, 10**16


async def fetch(database: Database, query: str) -> list[tuple[Any, ...]]:
    async with database.connection() as connection:
        return [tuple(row) for row in await connection.fetch(query)]


async def test_of_a_batch_the_database_refuses_only_the_bad_mail_is_quarantined(
    database: Database, writer: KillmailWriter
) -> None:
    async with database.connection() as connection:
        await connection.execute("alter table killmail add constraint unlucky check (killmail_id % 13 <> 0)")
    batch = [arrival(mail_id) for mail_id in range(1, 41)]

    stored = await writer.store(database, batch, cursor=FeedCursor("feed", 41), gaps=[7])

    assert stored.new_ids == [mail_id for mail_id in range(1, 41) if mail_id % 13]
    assert (stored.quarantined, stored.duplicates) == (3, 0)
    assert await fetch(database, "select killmail_id from quarantine order by 1") == [(13,), (26,), (39,)]
    async with database.connection() as connection:
        assert await find_cursor(connection, "feed") == 41
        assert await connection.fetchval("select sequence from feed_gap where feed = 'feed'") == 7
        assert await recount_differences(connection) == []


async def test_a_place_that_no_column_holds_costs_the_mail_and_moves_the_cursor(
    database: Database, writer: KillmailWriter
) -> None:
    mail = arrival(2)
    far = Arrival(mail.mail, "feed", location_id=2**63, reference="feed 2", body=mail.body)

    stored = await writer.store(database, [arrival(1), far, arrival(3)], cursor=FeedCursor("feed", 4))

    assert (stored.new_ids, stored.quarantined) == ([1, 3], 1)
    async with database.connection() as connection:
        assert await find_cursor(connection, "feed") == 4


@pytest.mark.parametrize(
    "reject",
    [
        Reject("feed", "feed 1", "no such id", "$.killmail_id", b"{}", 2**63),
        Reject("feed", "feed 1", "no such id", "$.killmail_id", b"{}", -1),
        Reject("feed", "bad\udcff.json:1", "bad \x00 \ud800", "$.a\x00", b"{}"),
        Reject("feed", "r" * 100_000, "x" * 10_000_000, "$" * 100_000, b"{}"),
        Reject("feed", "feed 1", "too large", "$", b"x" * (KEPT_BYTES + 1)),
    ],
    ids=["beyond int64", "negative", "no text", "long", "large"],
)
async def test_a_reject_always_fits(database: Database, writer: KillmailWriter, reject: Reject) -> None:
    stored = await writer.store(database, [], rejects=[reject], cursor=FeedCursor("feed", 2))

    assert stored.quarantined == 1
    ((reason, path, size),) = await fetch(database, "select reason, path, octet_length(body) from quarantine")
    assert (len(reason) <= MAX_TEXT, len(path) <= MAX_TEXT, size <= KEPT_BYTES) == (True, True, True)
    async with database.connection() as connection:
        assert await find_cursor(connection, "feed") == 2


async def test_rejects_without_a_body_are_told_apart_by_where_they_came_from(
    database: Database, writer: KillmailWriter
) -> None:
    for _ in range(2):
        rejects = [Reject("r2z2", f"r2z2 {number}", "the body is too large", "$", b"") for number in range(3)]
        await writer.store(database, [], rejects=rejects)

    assert await fetch(database, "select reference, tries from quarantine order by 1") == [
        ("r2z2 0", 2),
        ("r2z2 1", 2),
        ("r2z2 2", 2),
    ]


async def test_mails_whose_worth_is_beyond_a_sum_are_quarantined_and_the_rest_is_stored(
    database: Database, writer: KillmailWriter
) -> None:
    """Each is worth nearly as much as is taken; 1,025 of them are more than a bigint holds."""
    price = await _price_of(database, writer, MODULE)
    quantity = (MAX_WORTH - 10**15) // price
    mails = [
        body(mail_id, items=[{"item_type_id": MODULE, "flag": 5, "singleton": 0, "quantity_destroyed": quantity}])
        for mail_id in range(1, 1201)
    ]
    lines = b"\n".join(msgspec.json.encode(mail) for mail in mails)

    tally = await import_stream(database, writer, io.BytesIO(lines), name="dear.jsonl")

    assert tally.failures == []
    assert (tally.read, tally.stored + tally.quarantined, tally.duplicate) == (1200, 1200, 0)
    assert tally.stored == 1024
    assert await fetch(database, "select distinct reason from quarantine") == [
        ("the database refused it: a sum that it belongs to would be beyond what can be stored",)
    ]
    async with database.connection() as connection:
        assert await recount_differences(connection) == []


async def _price_of(database: Database, writer: KillmailWriter, type_id: int) -> int:
    item = {"item_type_id": type_id, "flag": 5, "singleton": 0, "quantity_destroyed": 1}
    await writer.store(database, [arrival(5000, items=[item])])
    ((price,),) = await fetch(database, "select unit_price_cents from item where killmail_id = 5000")
    return int(price)
