"""Whatever is stored, revalued and removed, by whomever at once: the rollups equal a recount of the facts."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

import pytest

from killreport.db.database import Database
from killreport.killmail.mail.arrival import Arrival
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
TABLES = ("posting", "daily_total", "system_stat", "total_stat", "activity_stat")


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
    column = "killmails" if table in ("daily_total", "posting") else "kills"
    async with database.connection() as connection:
        await connection.execute(f"update {table} set {column} = {column} + 1")
        # A whole life is counted as the sum of its days.
        wrong = {"posting", "total_stat"} if table == "posting" else {table}
        assert {found.table for found in await recount_differences(connection)} == wrong
        await rebuild_rollups(connection)
        assert await recount_differences(connection) == []
