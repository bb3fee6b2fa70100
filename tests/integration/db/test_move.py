"""Moving a database of the release of migration 29: everything stays as it was, whatever comes in between."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator

import asyncpg
import pytest

from killreport.db.database import Connection
from killreport.db.migrate import pending_migrations, upgrade
from killreport.errors import Refused
from killreport.killmail.writing import moving
from killreport.killmail.writing.move_plan import plan_move
from killreport.killmail.writing.moving import SWITCH, move_before_switch, move_killmails
from killreport.killmail.writing.recount import recount_differences
from tests.databases import Databases, create_database, drop_databases, with_database_name
from tests.integration.db.release_0029 import (
    keep_old_rows,
    make_release_0029,
    remove_like_old,
    revalue_like_old,
    store_like_old,
)

KILLMAILS = 310
# What the views and the row give of the killmails, beside what was kept of the old tables.
SAME = """
    select (select count(*) from (table kept.attacker except table attacker) x)
         + (select count(*) from (table attacker except table kept.attacker) x)
         + (select count(*) from (table kept.item except select {items} from item) x)
         + (select count(*) from (select {items} from item except table kept.item) x)
         + (select count(*) from (select {killmails}, labels, hash from kept.killmail except
               select {killmails}, label_names(labels, ship_category_id), killmail_hash(
                   victim_character_id, final_blow_character_id, ship_type_id, killmail_time) from killmail) x)
         + abs((select count(*) from kept.killmail) - (select count(*) from killmail))
"""
COLUMNS = """
    select string_agg(attname, ', ' order by attnum) from pg_attribute
    where attrelid = $1::regclass and attnum > 0 and not attisdropped and attname <> all($2)
"""
# One slice of few killmails a transaction, and each a while, so that a signal comes in between.
MOVE = """
import asyncio, sys, time
import asyncpg
from killreport.killmail.writing import moving

moving.SLICE = 7

async def main() -> None:
    connection = await asyncpg.connect(sys.argv[1])
    def tell(moved: int) -> None:
        print(moved, flush=True)
        time.sleep(0.01)
    await moving.move_killmails(connection, tell)

asyncio.run(main())
"""


class Interrupted(Exception):
    """The move was cut off."""


def _nothing(_moved: int) -> None:
    pass


@pytest.fixture(scope="module")
def old_template(server_url: str) -> Iterator[str]:
    """Yield the name of a database of the release of migration 29, which nobody changes."""
    name = asyncio.run(create_database(server_url))
    asyncio.run(make_release_0029(with_database_name(server_url, name)))
    yield name
    asyncio.run(drop_databases(server_url, name))


@pytest.fixture
async def old_url(server_url: str, old_template: str, databases: Databases) -> AsyncIterator[str]:
    """Yield the URL of a database of the release of migration 29."""
    name = await create_database(server_url, old_template)
    yield with_database_name(server_url, name)
    await databases.discard(name)


@pytest.fixture
async def old(old_url: str) -> AsyncIterator[Connection]:
    """Yield a connection to a database of the release of migration 29."""
    connection = await asyncpg.connect(old_url)
    yield connection
    await connection.close()


async def assert_moved(connection: Connection) -> None:
    """Switch over, and compare every row with what was kept, and every count with the rows."""
    await upgrade(connection, preparations=move_before_switch(_nothing))
    assert await pending_migrations(connection) == []
    killmails = await connection.fetchval(COLUMNS, "kept.killmail", ["labels", "hash"])
    items = await connection.fetchval(COLUMNS, "kept.item", [])
    assert await connection.fetchval(SAME.format(killmails=killmails, items=items)) == 0
    assert await recount_differences(connection) == []
    assert await connection.fetchval("select to_regnamespace('next')") is None


async def test_an_upgrade_moves_everything_as_it_is(old: Connection) -> None:
    await keep_old_rows(old)
    assert await old.fetchval("select count(*) from kept.killmail") == KILLMAILS
    await assert_moved(old)


async def test_a_move_that_an_error_cuts_off_ten_times_goes_on(
    old: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(moving, "SLICE", 7)
    await keep_old_rows(old)
    await upgrade(old, before=SWITCH)
    left = []
    for times in range(10):
        slices = iter(range(1 + times % 3))

        def interrupt(_moved: int, slices=slices) -> None:  # type: ignore[no-untyped-def]
            if next(slices, None) is None:
                raise Interrupted

        with pytest.raises(Interrupted):
            await move_killmails(old, interrupt)
        plan = await plan_move(old)
        assert plan is not None
        left.append(plan.left)
    assert left == sorted(left, reverse=True)
    assert 0 < left[-1] < left[0] < KILLMAILS
    await assert_moved(old)


async def test_a_move_that_is_killed_ten_times_goes_on(old: Connection, old_url: str) -> None:
    await keep_old_rows(old)
    await upgrade(old, before=SWITCH)
    for _ in range(10):
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MOVE, old_url, stdout=asyncio.subprocess.PIPE
        )
        assert process.stdout is not None
        assert await process.stdout.readline() != b""
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
    plan = await plan_move(old)
    assert plan is not None
    assert 0 < plan.left < KILLMAILS
    await assert_moved(old)


async def test_what_the_old_release_does_after_the_move_is_moved_too(old: Connection) -> None:
    await upgrade(old, before=SWITCH)
    ids = [row[0] for row in await old.fetch("select killmail_id from public.killmail order by killmail_time desc")]
    await move_killmails(old, _nothing)
    await store_like_old(old, 800_000_001, ids[5])
    await store_like_old(old, 800_000_002, ids[6], "history")
    await revalue_like_old(old, ids[0], 123_456_789_000)
    await revalue_like_old(old, 800_000_001, 5_000)
    await remove_like_old(old, ids[1])
    await move_killmails(old, _nothing)
    # And again between the move and the switch.
    await store_like_old(old, 1_600_000_001, ids[7])
    await revalue_like_old(old, ids[2], 77)
    await remove_like_old(old, ids[3])
    await keep_old_rows(old)
    await assert_moved(old)
    assert await old.fetchval("select count(*) from killmail") == KILLMAILS + 3 - 2


async def test_what_changes_between_two_slices_is_moved_again(old: Connection, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(moving, "SLICE", 100)
    await upgrade(old, before=SWITCH)
    ids = [row[0] for row in await old.fetch("select killmail_id from public.killmail order by killmail_time")]
    oldest, second, newest = ids[0], ids[1], ids[-1]

    def cut(_moved: int) -> None:
        raise Interrupted

    with pytest.raises(Interrupted):
        await move_killmails(old, cut)
    await store_like_old(old, 800_000_001, newest)
    await revalue_like_old(old, newest, 99)
    await revalue_like_old(old, oldest, 98)
    await remove_like_old(old, second)
    await move_killmails(old, _nothing)
    await keep_old_rows(old)
    await assert_moved(old)


async def test_the_switch_refuses_what_is_not_moved(old: Connection) -> None:
    with pytest.raises(Refused, match="not all killmails are moved to the new tables: run killreport db upgrade"):
        await upgrade(old)
    assert await old.fetchval("select count(*) from public.killed_by") > 0
    assert [migration.name for migration in await pending_migrations(old)] == [SWITCH]


async def test_a_killmail_with_the_hash_of_another_is_refused_by_its_id(old: Connection) -> None:
    await upgrade(old, before=SWITCH)
    await old.execute("update public.killmail set hash = decode(repeat('00', 20), 'hex') where killmail_id = 1000")
    with pytest.raises(Refused, match=r"^Killmail 1000 cannot be moved: its hash 0{40} is not that of its contents"):
        await move_killmails(old, _nothing)


async def test_before_the_switch_the_way_back_is_to_drop_the_new_tables(old: Connection) -> None:
    await upgrade(old, before=SWITCH)
    await move_killmails(old, _nothing)
    await old.execute("drop schema next cascade")
    await old.execute("delete from schema_migration where version = 30")
    assert await old.fetchval("select count(*) from killmail") == KILLMAILS
    # And the way forward again.
    await keep_old_rows(old)
    await assert_moved(old)
