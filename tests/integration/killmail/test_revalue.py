"""A price that comes late changes the killmails it concerns, everything that hangs on their value, and nothing else."""

from __future__ import annotations

import asyncio
import dataclasses
from collections.abc import Sequence
from datetime import date
from typing import Any

import pytest

from killreport.db.database import Connection, Database
from killreport.eve.load import load_universe
from killreport.killmail.mail.arrival import Arrival
from killreport.killmail.writing import revalue_due as revalue_due_module
from killreport.killmail.writing.recount import rebuild_rollups, recount_differences
from killreport.killmail.writing.revalue import Revalued, Revaluer, load_revaluer
from killreport.killmail.writing.revalue_due import Left, is_basis_new, revalue_due
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import PriceRule, load_price_book
from killreport.market.store import PriceDay, PriceReference, store_prices, store_references
from tests.integration.killmail.mails import DAMAGE_CONTROL, RIFTER, arrival
from tests.integration.packed_rows import change_prices

DAY = date(2021, 12, 2)
# Of no static data and no reference: priceless until somebody knows better.
NEW_TYPE = 2_000_000_001


@pytest.fixture
async def writer(database: Database) -> KillmailWriter:
    """Return a writer with the packaged static data and no references but those the test stores."""
    async with database.connection() as connection:
        await connection.execute("delete from price_reference")
        universe = await load_universe(connection)
        return KillmailWriter(universe, await load_price_book(connection, universe))


def item(type_id: int, **keys: Any) -> dict[str, Any]:
    return {"item_type_id": type_id, "flag": 5, "singleton": 0, "quantity_destroyed": 1, **keys}


async def store_day(database: Database, cents: dict[int, int], day: date = DAY) -> None:
    async with database.connection() as connection:
        await store_prices(connection, [PriceDay(type_id, day, amount, "test") for type_id, amount in cents.items()])


async def store_reference(database: Database, type_id: int, cents: int) -> None:
    row = PriceReference(type_id, cents, PriceRule.REFERENCE_AVERAGE, DAY, "test")
    async with database.connection() as connection:
        await store_references(connection, [row])


async def run_pass(database: Database, *, most: int = 10_000) -> tuple[Revalued, Left]:
    """Value again what is due and return the sums, and what was left."""
    batches: list[Revalued] = []
    left = await revalue_due(database, await load_revaluer(database), most=most, on_batch=batches.append)
    return (
        Revalued(*(sum(getattr(batch, name) for batch in batches) for name in ("examined", "repriced", "changed"))),
        left,
    )


async def everything(connection: Connection) -> dict[str, list[Any]]:
    """Return every row that hangs on a value, without when and in which order it was written."""
    return {
        name: await connection.fetch(f"select {columns} from {name} order by {order}")
        for name, columns, order in (
            (
                "killmail",
                "killmail_id, ship_value_cents, ship_price_rule, fitted_value_cents, dropped_value_cents,"
                " destroyed_value_cents, total_value_cents, is_value_complete,"
                " label_names(labels, ship_category_id) as labels, points",
                "killmail_id",
            ),
            ("item", "*", "killmail_id, ordinal"),
            (
                "posting",
                "code, side, day, killmails, isk_cents, points, solo, npc, npc_isk_cents, killmail_ids",
                "1, 2, 3",
            ),
            ("daily_total", "*", "day"),
        )
    }


def fleet() -> list[Arrival]:
    """Return mails with containers, copies, several of a type, and two of another day."""
    copy = item(DAMAGE_CONTROL, singleton=2, quantity_destroyed=None, quantity_dropped=3)
    box = item(3467, items=[item(DAMAGE_CONTROL, quantity_destroyed=4)])
    mails = [arrival(mail_id) for mail_id in range(1, 6)]
    mails += [arrival(6, items=[copy, box]), arrival(7, items=None), arrival(8, alliance_id=99000005)]
    return mails


async def test_the_state_is_that_of_a_store_that_knew_the_price(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, fleet())
    await store_day(database, {RIFTER: 60_000_000, DAMAGE_CONTROL: 150_000_000_000, 3467: 123_456})
    done, left = await run_pass(database)
    async with database.connection() as connection:
        revalued = await everything(connection)
        assert await recount_differences(connection) == []
        for table in ("killmail", "posting", "daily_total", "system_figures", "total_stat"):
            await connection.execute(f"delete from {table}")
    await writer.store(database, fleet())
    async with database.connection() as connection:
        stored = await everything(connection)

    assert (done, left) == (Revalued(8, 8, 8), Left(0, has_priceless=False))
    assert revalued == stored
    # 1 ship and 1 module at 1.5 billion: the label came with the value.
    assert "isk:1b+" in stored["killmail"][0]["labels"]


async def test_the_change_is_recorded_and_subscribers_are_told(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1, items=None), arrival(2, items=None)])
    async with database.connection() as connection:
        before = await connection.fetchval("select total_value_cents from killmail where killmail_id = 1")
    await store_day(database, {RIFTER: 60_000_000})
    await run_pass(database)

    async with database.connection() as connection:
        changes = await connection.fetch(
            "select killmail_id, old_cents, new_cents, reason from value_change order by killmail_id"
        )
        event = await connection.fetchrow("select kind, killmail_ids from event order by event_id desc limit 1")
    assert [tuple(row) for row in changes] == [
        (mail_id, before, 60_000_000, "a market price came") for mail_id in (1, 2)
    ]
    assert tuple(event) == ("changed", [1, 2])


async def test_a_second_pass_and_one_beside_it_change_nothing(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, fleet())
    await store_day(database, {RIFTER: 60_000_000})
    both = await asyncio.gather(run_pass(database), run_pass(database))
    third, _ = await run_pass(database)

    async with database.connection() as connection:
        assert await connection.fetchval("select count(*) from value_change") == 8
        assert await recount_differences(connection) == []
    assert sum(done.changed for done, _ in both) == 8
    assert third == Revalued(0, 0, 0)


async def test_a_type_nobody_knew_is_valued_when_its_first_price_comes(
    database: Database, writer: KillmailWriter
) -> None:
    carrying = [arrival(1, items=[item(NEW_TYPE)]), arrival(2, ship_type_id=NEW_TYPE, items=None)]
    await writer.store(database, carrying)
    async with database.connection() as connection:
        rules = await connection.fetch("select price_rule from item where type_id = $1", NEW_TYPE)
        complete = await connection.fetch("select is_value_complete from killmail order by killmail_id")
    assert [row[0] for row in rules] == [PriceRule.UNKNOWN]
    assert [row[0] for row in complete] == [False, False]

    await store_reference(database, NEW_TYPE, 700_00)
    done, left = await run_pass(database)

    async with database.connection() as connection:
        changes = await connection.fetch(
            "select killmail_id, new_cents - old_cents, reason from value_change order by 1"
        )
        complete = await connection.fetch("select is_value_complete from killmail order by killmail_id")
        assert await recount_differences(connection) == []
    assert [row[0] for row in complete] == [True, True]
    assert (done.changed, left) == (2, Left(0, has_priceless=False))
    assert [tuple(row) for row in changes] == [(mail_id, 700_00, "a first price came") for mail_id in (1, 2)]


async def test_a_reference_of_today_does_not_replace_the_one_a_killmail_was_stored_with(
    database: Database, writer: KillmailWriter
) -> None:
    await store_reference(database, DAMAGE_CONTROL, 500)
    await writer.store(database, [arrival(1)])
    await store_reference(database, DAMAGE_CONTROL, 900)
    await store_day(database, {RIFTER: 60_000_000})
    await run_pass(database)

    async with database.connection() as connection:
        row = await connection.fetchrow("select unit_price_cents, price_rule from item")
        total = await connection.fetchval("select total_value_cents from killmail")
    assert (tuple(row), total) == ((500, PriceRule.REFERENCE_AVERAGE), 60_000_500)

    await store_day(database, {DAMAGE_CONTROL: 700})
    await run_pass(database)
    async with database.connection() as connection:
        row = await connection.fetchrow("select unit_price_cents, price_rule from item")
    assert tuple(row) == (700, PriceRule.MARKET_MEAN)


async def test_a_pass_stops_after_so_many_killmails_and_the_next_goes_on_newest_first(
    database: Database, writer: KillmailWriter
) -> None:
    await writer.store(database, [arrival(1), arrival(2)])
    async with database.connection() as connection:
        # Moved by hand: the mails of this suite are all of one day.
        await connection.execute(
            "update killmail set killmail_time = killmail_time + interval '1 day' where killmail_id = 2"
        )
        await rebuild_rollups(connection)
    await store_day(database, {RIFTER: 60_000_000})

    first, left = await run_pass(database, most=1)
    async with database.connection() as connection:
        changed = [row[0] for row in await connection.fetch("select killmail_id from value_change")]
    assert (first, left, changed) == (Revalued(1, 1, 1), Left(1, has_priceless=False), [2])
    second, left = await run_pass(database)
    assert (second.changed, left) == (1, Left(0, has_priceless=False))


async def test_a_price_that_came_during_the_pass_keeps_the_day_due(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1)])
    await store_day(database, {RIFTER: 60_000_000})

    class Interrupted(Revaluer):
        async def revalue(self, database: Database, mail_ids: Sequence[int], reason: str) -> Revalued:
            done = await super().revalue(database, mail_ids, reason)
            await store_day(database, {RIFTER: 70_000_000})
            return done

    async with database.connection() as connection:
        universe = await load_universe(connection)
        revaluer = Interrupted(universe, await load_price_book(connection, universe))
    batches: list[Revalued] = []
    await revalue_due(database, revaluer, most=10, on_batch=batches.append)
    second, _ = await run_pass(database)

    assert (batches, second) == ([Revalued(1, 1, 1)], Revalued(1, 1, 1))


async def test_killmails_that_come_while_others_are_valued_again_are_counted_right(
    database: Database, writer: KillmailWriter
) -> None:
    mails = [arrival(mail_id) for mail_id in range(1, 400)]
    await writer.store(database, mails[:200])
    # The same pilots, days and places, and the same mails once more with a label: both sides want the same rows.
    labelled = [dataclasses.replace(mail, extra_labels=("padding",)) for mail in mails[:200]]

    async def store() -> None:
        for first in range(0, 200, 20):
            await writer.store(database, [*mails[200 + first : 220 + first], *labelled[first : first + 20]])

    async def revalue() -> None:
        for cents in (60_000_000, 250_000_000_000, 70_000_000):
            await store_day(database, {RIFTER: cents})
            await run_pass(database)

    await asyncio.gather(store(), revalue())
    async with database.connection() as connection:
        assert await recount_differences(connection) == []
        labels = await connection.fetch("select labels from analysis.killmails where killmail_id < 200")
    assert [row for row in labels if "padding" not in row["labels"] or "pvp" in row["labels"]] == []


async def make_old(connection: Connection, build_number: int = 0) -> None:
    """Have the stored killmails as a release before portions valued them: a cent for what is unknown, all complete."""
    await change_prices(
        connection,
        lambda row: (1 if row.price_rule == 99 else 999, row.price_rule) if row.price_rule >= 30 else None,
    )
    await connection.execute("update killmail set is_value_complete = true")
    await connection.execute(
        """insert into value_basis (rules_version, build_number, extent) values (1, $1, 1)
           on conflict (is_only) do update set rules_version = 1, build_number = $1, extent = 1""",
        build_number,
    )


async def test_what_an_older_release_valued_without_a_market_is_valued_again_once(
    database: Database, writer: KillmailWriter
) -> None:
    await store_reference(database, DAMAGE_CONTROL, 500)
    await writer.store(
        database, [arrival(1), arrival(2, items=[item(NEW_TYPE)]), arrival(3, items=[item(34)]), arrival(4)]
    )
    async with database.connection() as connection:
        before = await everything(connection)
        await make_old(connection)
        events = await connection.fetchval("select count(*) from event")
    await store_day(database, {RIFTER: 60_000_000}, date(2022, 6, 1))  # of no stored killmail
    done, left = await run_pass(database)

    async with database.connection() as connection:
        assert await everything(connection) == before
        assert await connection.fetchval("select count(*) from killmail_value_due") == 0
        told = await connection.fetch("select kind, killmail_ids from event order by event_id offset $1", events)
    # Every hull here has its base price, so all four are looked at; two of them were wrong.
    assert (done.examined, done.repriced, left) == (4, 2, Left(0, has_priceless=False))
    assert [tuple(row) for row in told] == [("changed", [2, 3])]
    again, _ = await run_pass(database)
    assert again == Revalued(0, 0, 0)


async def test_a_pass_by_new_rules_goes_on_where_it_was_broken_off(
    database: Database, writer: KillmailWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(revalue_due_module, "BATCH_KILLMAILS", 2)
    await writer.store(database, [arrival(mail_id) for mail_id in range(1, 8)])
    async with database.connection() as connection:
        await make_old(connection)

    class Killed(Revaluer):
        async def revalue(self, database: Database, mail_ids: Sequence[int], reason: str) -> Revalued:
            if min(mail_ids) < 4:
                raise OSError("the machine is gone")
            return await super().revalue(database, mail_ids, reason)

    async with database.connection() as connection:
        universe = await load_universe(connection)
        killed = Killed(universe, await load_price_book(connection, universe))
    batches: list[Revalued] = []
    with pytest.raises(OSError, match="gone"):
        await revalue_due(database, killed, most=100, on_batch=batches.append)
    async with database.connection() as connection:
        waiting = [row[0] for row in await connection.fetch("select killmail_id from killmail_value_due order by 1")]
        assert await is_basis_new(connection)
    assert ([batch.examined for batch in batches], waiting) == ([2, 2], [1, 2, 3])

    # A pass has a bound here too, and says what is left.
    done, left = await run_pass(database, most=1)
    assert (done.examined, left) == (2, Left(0, has_priceless=False, killmails=1))
    done, left = await run_pass(database)
    async with database.connection() as connection:
        assert not await is_basis_new(connection)
        assert await recount_differences(connection) == []
    assert (done.examined, left) == (1, Left(0, has_priceless=False))


async def test_new_static_data_has_what_was_priceless_valued_again(database: Database, writer: KillmailWriter) -> None:
    keepstar, tritanium = 35834, 34
    await store_reference(database, tritanium, 400)
    await writer.store(database, [arrival(1, ship_type_id=keepstar, items=None), arrival(2, items=None)])
    await run_pass(database)
    async with database.connection() as connection:
        assert not await is_basis_new(connection)
        await connection.execute("insert into eve_blueprint values (1, $1, 1, false, '{34}', '{1000}')", keepstar)
        await connection.execute("update static_data set build_number = build_number + 1")
        assert await is_basis_new(connection)
    await run_pass(database)

    async with database.connection() as connection:
        row = await connection.fetchrow(
            "select ship_value_cents, ship_price_rule, is_value_complete from killmail where killmail_id = 1"
        )
        assert not await is_basis_new(connection)
    assert tuple(row) == (900 * 400, PriceRule.BUILD_COST, True)
