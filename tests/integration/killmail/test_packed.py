"""What PostgreSQL reads of a killmail's packed row is what Python packed, and the row is in the partition of its id."""

from __future__ import annotations

import asyncio
import copy
import random
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from killreport.db.database import Connection, Database
from killreport.ids import MAX_ENTITY_ID
from killreport.killmail.mail.hash import hash_of
from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.label_numbers import NUMBERS, unpack_labels
from killreport.killmail.mail.model import MAX_INT2, MAX_INT8, MAX_SECURITY, Attacker, Item
from killreport.killmail.stored.packed import pack_attackers, pack_items, unpack_attackers, unpack_items
from killreport.killmail.stored.partitions import SPAN
from killreport.killmail.stored.queries import list_attackers, list_items
from killreport.killmail.writing.recount import recount_differences
from killreport.killmail.writing.store import KillmailWriter
from tests.integration.killmail.mails import arrival

SECURITIES = (None, 0.0, -0.0, 0.3, -9.9, 10.0, -12.7, 12.8, 0.05, 1e-40, 1 / 3, -MAX_SECURITY, MAX_SECURITY)


def amount(chance: random.Random, most: int) -> int:
    """Return a number of any size, small ones as often as large ones."""
    return chance.randrange(min(2 ** chance.randrange(1, 64), most + 1))


def attackers(chance: random.Random, count: int) -> list[Attacker]:
    """Return attackers of all sorts; ids that are absent, and ids that others have too."""

    def entity() -> int | None:
        return chance.choice((None, 7, 1 + amount(chance, MAX_ENTITY_ID - 1)))

    return [
        Attacker(
            amount(chance, MAX_INT8),
            chance.random() < 0.5,
            chance.choice(SECURITIES),
            *(entity() for _ in range(6)),
        )
        for _ in range(count)
    ]


def items(chance: random.Random, count: int) -> tuple[list[FlatItem], list[tuple[int, int]]]:
    """Return items of all sorts with their prices."""
    flat = [
        FlatItem(
            place,
            chance.choice((None, 0, amount(chance, MAX_INT2))),
            Item(
                1 + amount(chance, MAX_ENTITY_ID - 1),
                amount(chance, MAX_INT2),
                amount(chance, MAX_INT2),
                chance.choice((None, 0, 1, amount(chance, MAX_INT8))),
                chance.choice((None, 0, 1, amount(chance, MAX_INT8))),
            ),
        )
        for place in range(count)
    ]
    return flat, [(amount(chance, MAX_INT8), amount(chance, MAX_INT2)) for _ in flat]


async def rows(connection: Connection, unpack: str, packed: bytes) -> list[tuple[Any, ...]]:
    """Return what a function of the database makes of the bytes."""
    return [tuple(row) for row in await connection.fetch(f"select * from {unpack}($1)", packed)]


async def test_postgres_reads_what_python_packed(database: Database) -> None:
    chance = random.Random(30)
    async with database.connection() as connection:
        for count in (*range(20), 255, 256, 257, 3_753):
            packed = pack_attackers(attackers(chance, count))
            found = await rows(connection, "unpack_attackers", packed)
            expected = list(unpack_attackers(packed))
            assert found == expected
            assert [str(row[-1]) for row in found] == [str(row[-1]) for row in expected]
            packed = pack_items(*items(chance, count))
            assert await rows(connection, "unpack_items", packed) == list(unpack_items(packed))


async def test_the_views_have_the_rows_of_every_killmail(database: Database, writer: KillmailWriter) -> None:
    await writer.store(database, [arrival(1), arrival(2, items=None), arrival(2**63 - 1)])
    async with database.connection() as connection:
        seen = {
            name: [tuple(row) for row in await connection.fetch(f"select * from {name} order by 1, 2")]
            for name in ("attacker", "item")
        }
        ids = [1, 2, 2**63 - 1]
        for name, read in (("attacker", list_attackers), ("item", list_items)):
            found = await read(connection, ids)
            told = [tuple(getattr(row, key) for key in row.__struct_fields__) for one in ids for row in found[one]]
            assert seen[name] == told
    assert (len(seen["attacker"]), len(seen["item"])) == (6, 2)


async def test_bytes_of_another_version_are_refused_with_a_sentence(database: Database) -> None:
    async with database.connection() as connection:
        with pytest.raises(asyncpg.RaiseError, match="columns of version 2, which this release does not know"):
            await rows(connection, "unpack_items", b"\x02\x00\x01")


async def test_postgres_names_the_labels_that_python_packed(database: Database) -> None:
    chance = random.Random(31)
    packed = [(0, None), (2 ** len(NUMBERS) - 1, 6), *((1 << number, None) for number in NUMBERS.values())]
    packed += [(chance.getrandbits(len(NUMBERS)), chance.choice((None, 6, 350001))) for _ in range(200)]
    async with database.connection() as connection:
        for bits, category_id in packed:
            names = await connection.fetchval("select label_names($1, $2)", bits, category_id)
            assert names == unpack_labels(bits, category_id)


async def test_postgres_has_the_hash_of_a_killmail(database: Database) -> None:
    parts: list[tuple[int | None, int | None, int, datetime]] = [
        (None, None, 587, datetime(2021, 12, 2, 10, tzinfo=UTC)),
        (90000001, 2112000001, 670, datetime(2003, 5, 6, 0, 0, 1, tzinfo=UTC)),
        # As long as one block of SHA-1 has room for, and two that need a second.
        (10**15, 10**15, 10**4, datetime(2026, 11, 30, 23, 59, 59, 999999, tzinfo=UTC)),
        (10**16, 10**15, 10**4, datetime(2026, 11, 30, tzinfo=UTC)),
        (MAX_ENTITY_ID, MAX_ENTITY_ID, MAX_ENTITY_ID, datetime(2026, 11, 30, tzinfo=UTC)),
    ]
    async with database.connection() as connection:
        for one in parts:
            assert await connection.fetchval("select killmail_hash($1, $2, $3, $4)", *one) == hash_of(*one)


async def test_a_partition_is_made_when_its_first_killmail_comes(database: Database, writer: KillmailWriter) -> None:
    ids = [1, SPAN - 1, SPAN, 20 * SPAN + 7, 2**63 - 1]
    writers = [writer, *(copy.deepcopy(writer) for _ in range(3))]
    await asyncio.gather(*(one.store(database, [arrival(mail_id) for mail_id in ids]) for one in writers))
    async with database.connection() as connection:
        rows = await connection.fetch("select tableoid::regclass::text, killmail_id from killmail order by 2")
        assert await recount_differences(connection) == []
    last = (2**63 - 1) // SPAN * SPAN
    names = [f"killmail_{first}" for first in (0, 0, SPAN, 20 * SPAN, last)]
    assert [tuple(row) for row in rows] == list(zip(names, ids, strict=True))
