"""The writer stores each killmail once, with everything that follows from it, or nothing at all."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import msgspec
import pytest

from killreport.db.database import Database
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.mail.decode import decode_killmail
from killreport.killmail.mail.hash import killmail_hash
from killreport.killmail.stored.quarantine import list_quarantine
from killreport.killmail.writing.recount import rebuild_rollups, recount_differences
from killreport.killmail.writing.store import FeedCursor, KillmailWriter, find_cursor
from tests.integration.killmail.mails import ALLIANCE, CAPSULE, CORPORATION, PILOT, RIFTER, arrival, body


async def counts(database: Database) -> dict[str, int]:
    tables = (
        "killmail",
        "attacker",
        "item",
        "event",
        "quarantine",
        "feed_cursor",
        "posting",
    )
    async with database.connection() as connection:
        return {table: await connection.fetchval(f"select count(*) from {table}") for table in tables}


async def differences(database: Database) -> Sequence[object]:
    async with database.connection() as connection:
        return await recount_differences(connection)


async def test_a_killmail_is_stored_with_its_rows_and_a_second_time_changes_nothing(
    database: Database, writer: KillmailWriter
) -> None:
    first = await writer.store(database, [arrival(100)])
    before = await counts(database)
    second = await writer.store(database, [arrival(100)])

    assert (first.new_ids, first.duplicates) == ([100], 0)
    assert (second.new_ids, second.duplicates, second.event_id) == ([], 1, None)
    assert before == await counts(database)
    assert [before[table] for table in ("killmail", "attacker", "item", "event")] == [1, 2, 1, 1]
    assert await differences(database) == []


async def test_the_stored_row_says_what_the_mail_says(database: Database, writer: KillmailWriter) -> None:
    mail = arrival(101, position={"x": 1.5, "y": -2.0, "z": 3.0})
    await writer.store(database, [mail])
    async with database.connection() as connection:
        row = await connection.fetchrow("select * from killmail")
        hash_text = await connection.fetchval("select killmail_hash from analysis.killmails")
    assert bytes.fromhex(hash_text) == killmail_hash(mail.mail)
    assert (row["constellation_id"], row["region_id"]) == (20000020, 10000002)
    assert (row["victim_character_id"], row["victim_alliance_id"]) == (PILOT, None)
    assert (row["attacker_count"], row["player_count"]) == (2, 1)
    assert (row["position_x"], row["position_y"], row["position_z"]) == (1.5, -2.0, 3.0)
    assert (row["is_npc"], row["is_solo"], row["is_awox"]) == (False, True, False)
    assert row["total_value_cents"] == row["dropped_value_cents"] + row["destroyed_value_cents"]
    assert row["ship_value_cents"] > 0


async def test_writers_side_by_side_store_each_killmail_once(database: Database, writer: KillmailWriter) -> None:
    mails = [arrival(1000 + number) for number in range(120)]
    batches = [mails[start : start + 40] for start in (0, 30, 60, 80)] + [mails[::-1]]
    done = await asyncio.gather(*(writer.store(database, batch) for batch in batches))

    assert sorted(mail_id for stored in done for mail_id in stored.new_ids) == list(range(1000, 1120))
    assert sum(stored.duplicates for stored in done) == sum(map(len, batches)) - 120
    assert (await counts(database))["attacker"] == 240
    assert await differences(database) == []


async def test_of_two_mails_of_other_days_with_one_id_the_later_is_refused(
    database: Database, writer: KillmailWriter
) -> None:
    def dated(day: int) -> Arrival:
        raw = msgspec.json.encode(body(7) | {"killmail_time": f"2021-12-{day:02}T10:00:00Z"})
        return Arrival(decode_killmail(raw), "test", reference=f"day {day}", body=raw, is_from_feed=True)

    done = await asyncio.gather(
        *(writer.store(database, [arrival(6), dated(day), arrival(100 + day)]) for day in range(3, 9))
    )

    assert sorted(mail_id for stored in done for mail_id in stored.new_ids) == [6, 7, *range(103, 109)]
    assert sum(stored.quarantined for stored in done) == 5
    async with database.connection() as connection:
        refused = await list_quarantine(connection, 10)
    assert {entry.reject.reason.partition(" (")[0] for entry in refused} == {"another killmail with this id is stored"}
    assert await differences(database) == []


async def test_a_mail_whose_hash_does_not_match_is_quarantined_and_the_others_are_stored(
    database: Database, writer: KillmailWriter
) -> None:
    stored = await writer.store(database, [arrival(1), arrival(2, hash_=bytes(20)), arrival(3)])

    assert (stored.new_ids, stored.quarantined) == ([1, 3], 1)
    async with database.connection() as connection:
        (entry,) = await list_quarantine(connection, 10)
    assert (entry.reject.killmail_id, entry.reject.path) == (2, "$.killmail_hash")
    assert entry.reject.reason.startswith(f"the hash {'00' * 20} does not belong to this killmail")
    assert msgspec.json.decode(entry.reject.body) == body(2)


async def test_a_mail_that_cannot_be_valued_is_quarantined_and_may_come_again(
    database: Database, writer: KillmailWriter
) -> None:
    items = [{"item_type_id": RIFTER, "flag": 5, "singleton": 0, "quantity_dropped": 2**62}]
    stored = await writer.store(database, [arrival(1), arrival(2, items=items)])

    assert (stored.new_ids, stored.quarantined) == ([1], 1)
    assert await differences(database) == []
    assert (await writer.store(database, [arrival(2)])).new_ids == [2]


async def test_another_body_under_a_stored_id_is_refused(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1)])
    stored = await writer.store(database, [arrival(1, ship_type_id=CAPSULE)])

    assert (stored.new_ids, stored.duplicates, stored.quarantined) == ([], 0, 1)
    async with database.connection() as connection:
        assert await connection.fetchval("select ship_type_id from killmail") == RIFTER


async def test_nothing_is_stored_when_the_transaction_fails_at_its_end(
    database: Database, writer: KillmailWriter
) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """create function fill_disk() returns trigger language plpgsql
               as $$ begin raise exception 'no space left' using errcode = 'disk_full'; end $$"""
        )
        await connection.execute("create trigger refuse before insert on event execute function fill_disk()")
    before = await counts(database)
    with pytest.raises(asyncpg.DiskFullError):
        await writer.store(database, [arrival(1)], cursor=FeedCursor("feed", 8))
    assert await counts(database) == before

    async with database.connection() as connection:
        await connection.execute("drop trigger refuse on event")
    assert (await writer.store(database, [arrival(1)], cursor=FeedCursor("feed", 8))).new_ids == [1]
    async with database.connection() as connection:
        assert await find_cursor(connection, "feed") == 8


async def test_a_late_label_and_a_location_are_merged_once(database: Database, writer: KillmailWriter) -> None:
    plain = arrival(1)
    await writer.store(database, [plain])
    late = Arrival(plain.mail, "feed", location_id=40009082, extra_labels=("ganked", "padding"))
    changed = await writer.store(database, [late])
    again = await writer.store(database, [late])

    assert (changed.new_ids, changed.changed_ids, again.changed_ids) == ([], [1], [])
    async with database.connection() as connection:
        row = await connection.fetchrow("select labels, location_id from analysis.killmails")
        kinds = [event["kind"] for event in await connection.fetch("select kind from event order by event_id")]
    assert row["location_id"] == 40009082
    assert row["labels"][-2:] == ["ganked", "padding"]
    assert "pvp" not in row["labels"]
    assert kinds == ["stored", "changed"]


async def test_only_players_entities_that_are_unknown_are_noted_for_refresh(
    database: Database, writer: KillmailWriter
) -> None:
    async with database.connection() as connection:
        await connection.execute("insert into character (character_id, name) values ($1, 'Known')", PILOT)
    await writer.store(database, [arrival(7)])
    async with database.connection() as connection:
        rows = await connection.fetch("select entity_kind, entity_id from refresh_ledger order by 1, 2")
    assert [tuple(row) for row in rows] == [
        (1, PILOT + 1000),
        (2, CORPORATION),
        (2, CORPORATION + 1),
        (3, ALLIANCE),
    ]


async def test_listeners_hear_of_a_batch_once_it_is_committed(
    database: Database, database_url: str, writer: KillmailWriter
) -> None:
    heard: asyncio.Queue[str] = asyncio.Queue()
    listener = await asyncpg.connect(database_url)
    try:
        await listener.add_listener("killreport_killmail", lambda *message: heard.put_nowait(message[-1]))
        stored = await writer.store(database, [arrival(1), arrival(2)])
        event_id = int(await asyncio.wait_for(heard.get(), 10))
        assert event_id == stored.event_id
        assert await listener.fetchval("select killmail_ids from event where event_id = $1", event_id) == [1, 2]
    finally:
        await listener.close()


async def test_a_recount_finds_what_was_changed_and_a_rebuild_mends_it(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, [arrival(number) for number in range(1, 6)])
    async with database.connection() as connection:
        await connection.execute("update posting set points = points + 1 where code & 15 = 9")
        await connection.execute("delete from daily_total")
        found = await recount_differences(connection)
        # A whole life is counted as the sum of its days.
        wrong = [("posting", False), ("daily_total", True), ("total_stat", False)]
        assert [(d.table, d.stored is None) for d in found] == wrong
        await rebuild_rollups(connection)
        assert await recount_differences(connection) == []
