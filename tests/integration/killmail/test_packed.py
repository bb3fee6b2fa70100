"""What PostgreSQL unpacks of a killmail's attackers and items is what Python packed."""

from __future__ import annotations

import random
from typing import Any

import asyncpg
import pytest

from killreport.db.database import Connection, Database
from killreport.ids import MAX_ENTITY_ID
from killreport.killmail.mail.items import FlatItem
from killreport.killmail.mail.model import MAX_INT2, MAX_INT8, MAX_SECURITY, Attacker, Item
from killreport.killmail.stored.packed import pack_attackers, pack_items, unpack_attackers, unpack_items
from killreport.killmail.stored.queries import list_attackers, list_items
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
