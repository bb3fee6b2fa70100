"""Whatever is stored, revalued and removed, by whomever at once: the rollups equal a recount of the facts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence
from datetime import date, timedelta

import pytest

from killreport.db.database import Connection, Database
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.postings.changes import MAX_DAYS, hold_days, hold_days_of
from killreport.killmail.stored import rollup, system_days
from killreport.killmail.stored.activity import LONGEST
from killreport.killmail.writing.recount import rebuild_rollups, recount_differences
from killreport.killmail.writing.remove import remove_killmails
from killreport.killmail.writing.revalue import load_revaluer
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import PriceRule
from killreport.market.store import PriceReference, store_references
from tests.integration.killmail.mails import ALLIANCE, CAPSULE, CORPORATION, PILOT, RIFTER, arrival, body
from tests.integration.killmail.test_store import counts

SYSTEMS = (30000142, 30000144, 30002187)
NEW_TYPE = 2_000_000_001  # priceless until somebody knows better
TABLES = ("posting", "daily_total", "system_figures", "total_stat")
WRONG = {
    "posting": "update posting set killmails = killmails + 1",
    "daily_total": "update daily_total set killmails = killmails + 1",
    "system_figures": "delete from system_figures",
    "total_stat": "update total_stat set kills = kills + 1",
}


async def differences(database: Database) -> Sequence[object]:
    async with database.connection() as connection:
        return await recount_differences(connection)


def random_arrival(mail_id: int, chance: random.Random) -> Arrival:
    """Return a killmail among few who meet often, in few systems, on few days and hours."""
    import msgspec  # noqa: PLC0415

    from killreport.killmail.mail.decode import decode_killmail  # noqa: PLC0415

    items = [{"item_type_id": NEW_TYPE, "flag": 5, "singleton": 0, "quantity_dropped": chance.randint(1, 3)}]
    document = body(mail_id, character_id=PILOT + chance.randint(0, 3), ship_type_id=chance.choice((RIFTER, CAPSULE)))
    document["victim"]["items"] = items
    document["solar_system_id"] = chance.choice(SYSTEMS)
    document["killmail_time"] = f"2021-12-{chance.randint(1, 3):02}T{chance.choice((0, 23)):02}:59:59Z"
    document["attackers"] += [
        {
            "character_id": PILOT + chance.randint(0, 6),
            "corporation_id": CORPORATION + chance.randint(0, 2),
            "alliance_id": ALLIANCE,
            "damage_done": 1,
            "final_blow": False,
            "security_status": 0.0,
            "ship_type_id": chance.choice((RIFTER, CAPSULE)),
        }
        for _ in range(chance.randint(0, 4))
    ]
    raw = msgspec.json.encode(document)
    return Arrival(decode_killmail(raw), "test", reference=f"test:{mail_id}", body=raw)


@pytest.mark.parametrize("seed", range(3))
async def test_after_random_work_by_many_at_once_the_rollups_equal_a_recount(
    database: Database, writer: KillmailWriter, seed: int
) -> None:
    chance = random.Random(seed)
    mails = [random_arrival(mail_id, chance) for mail_id in range(1, 121)]

    async def store(number: int) -> None:
        await writer.store(database, chance.sample(mails, number))

    async def revalue(cents: int) -> None:
        async with database.connection() as connection:
            day = mails[0].mail.killmail_time.date()
            reference = PriceReference(NEW_TYPE, cents, PriceRule.REFERENCE_AVERAGE, day, "test")
            await store_references(connection, [reference])
        revaluer = await load_revaluer(database)
        await revaluer.revalue(database, [mail.mail.killmail_id for mail in mails], "test")

    async def remove(number: int) -> None:
        await remove_killmails(database, chance.sample(range(1, 121), number), "a test")

    await store(40)
    for round_ in range(3):
        await asyncio.gather(
            store(chance.randint(1, 60)),
            revalue(1000 * (round_ + 1)),
            remove(chance.randint(1, 20)),
            store(chance.randint(1, 60)),
            remove(chance.randint(1, 20)),
        )
        assert await differences(database) == []
    await remove(120)
    assert await differences(database) == []
    async with database.connection() as connection:
        for table in TABLES:
            assert await connection.fetchval(f"select count(*) from {table}") == 0


async def test_a_removed_killmail_leaves_nothing_but_its_reason_and_does_not_come_back(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, [arrival(1), arrival(2)])
    assert await remove_killmails(database, [2, 3], "asked for by its pilot") == [2]
    assert await remove_killmails(database, [2], "again") == []
    again = await writer.store(database, [arrival(2)])

    assert (again.new_ids, again.duplicates, again.changed_ids) == ([], 1, [])
    found = await counts(database)
    assert [found[table] for table in ("killmail", "attacker", "item")] == [1, 2, 1]
    assert await differences(database) == []
    async with database.connection() as connection:
        removed = await connection.fetchrow("select killmail_id, hash, reason from removed_killmail")
        assert await connection.fetchval("select count(*) from posting where killmails <> 1") == 0
        last = await connection.fetchrow("select kind, killmail_ids from event order by event_id desc limit 1")
    assert tuple(removed) == (
        2,
        (await writer.prepare(database, [arrival(2)])).hashes[2],
        "asked for by its pilot",
    )
    assert tuple(last) == ("changed", [2])


@pytest.mark.parametrize("table", TABLES)
async def test_a_recount_sees_a_wrong_row_of_every_rollup_and_a_rebuild_mends_it(
    database: Database, writer: KillmailWriter, table: str
) -> None:
    await writer.store(database, [arrival(number) for number in range(1, 6)])
    async with database.connection() as connection:
        await connection.execute(WRONG[table])
        # A whole life is counted as the sum of its days.
        wrong = {"posting", "total_stat"} if table == "posting" else {table}
        assert {found.table for found in await recount_differences(connection)} == wrong
        await rebuild_rollups(connection)
        assert await recount_differences(connection) == []


async def test_a_recount_sees_a_wrong_hour_and_a_rebuild_mends_it(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1)])
    async with database.connection() as connection:
        await connection.execute("update total_stat set activity = activity || pack_activity(3, 1, 0)")
        found = await recount_differences(connection)
        assert {(one.table, one.key[2], one.stored, one.recounted) for one in found} == {
            ("total_stat", 3, (1, 0), None)
        }
        await rebuild_rollups(connection)
        assert await recount_differences(connection) == []


async def test_a_log_of_hours_that_grew_long_is_shortened_and_says_the_same(
    database: Database, writer: KillmailWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rollup, "_SAVE_TOTALS", rollup._SAVE_TOTALS.replace(f"> {LONGEST}", "> 8"))
    for mail_id in range(1, 31):
        await writer.store(database, [arrival(mail_id)])
    async with database.connection() as connection:
        assert await connection.fetchval("select max(length(activity)) from total_stat") <= 8
        assert await recount_differences(connection) == []


async def test_the_newest_of_a_long_day_is_kept_beside_it_until_it_is_long_too(
    database: Database, writer: KillmailWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(system_days, "LONG", 100)
    monkeypatch.setattr(system_days, "SHARE", 2)
    chance = random.Random(11)
    monkeypatch.setattr(f"{__name__}.SYSTEMS", SYSTEMS[:1])
    mails = [random_arrival(mail_id, chance) for mail_id in range(1, 61)]
    parts: list[set[int]] = []
    async with database.connection() as connection:
        for mail in mails:
            await writer.store(database, [mail])
            rows = await connection.fetch(
                "select part from system_figures where (solar_system_id, day) = ($1, $2)",
                SYSTEMS[0],
                date(2021, 12, 1),
            )
            parts.append({row[0] for row in rows})
        assert await recount_differences(connection) == []
        assert {0} in parts[parts.index({0, 1}) :]
        await remove_killmails(database, range(1, 31), "a test")
        assert await recount_differences(connection) == []
        await remove_killmails(database, range(1, 61), "a test")
        assert await connection.fetchval("select count(*) from system_figures") == 0


async def test_more_is_not_taken_from_a_day_than_it_has(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1), arrival(2)])
    async with database.connection() as connection:
        await connection.execute(
            """update system_figures set figures = (
                   select pack_system_figures(array_agg(entity_kind), array_agg(entity_id), array_agg(0 * kills),
                              array_agg(0 * losses), array_agg(solo_kills), array_agg(points_won),
                              array_agg(isk_destroyed_cents), array_agg(isk_lost_cents))
                   from unpack_system_figures(figures))"""
        )
    with pytest.raises(OverflowError, match="killreport db recount"):
        await remove_killmails(database, [1], "a test")
    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from killmail") == 2
        await rebuild_rollups(connection)
    assert await remove_killmails(database, [1], "a test") == [1]
    assert await differences(database) == []


async def test_a_rebuild_waits_for_whoever_has_read_what_is_packed(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1), arrival(2)])
    async with database.connection() as other:
        async with database.transaction() as connection:
            await hold_days_of(connection, [1])
            rebuilding = asyncio.create_task(rebuild_rollups(other))
            done, _ = await asyncio.wait([rebuilding], timeout=0.3)
            assert not done
            await connection.execute("delete from system_figures")
        await rebuilding
    assert await differences(database) == []


@pytest.mark.parametrize(("days", "locks"), [(1, 2), (MAX_DAYS, MAX_DAYS + 1), (MAX_DAYS + 1, 1)])
async def test_the_days_of_a_batch_take_few_locks_and_keep_others_out(
    database: Database, days: int, locks: int
) -> None:
    first = date(2010, 1, 1)
    async with database.connection() as other:
        async with database.transaction() as connection:
            await hold_days(connection, [first + timedelta(days=number) for number in range(days)])
            held = await connection.fetchval(
                "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
            )
            waiting = asyncio.create_task(_hold(other, first))
            done, _ = await asyncio.wait([waiting], timeout=0.3)
            assert (held, bool(done)) == (locks, False)
        await waiting


async def _hold(connection: Connection, day: date) -> None:
    async with connection.transaction():
        await hold_days(connection, [day])
