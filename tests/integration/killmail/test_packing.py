"""The functions of the database read what the writer packs, and it reads what they pack."""

from __future__ import annotations

import random

from killreport.db.database import Database
from killreport.killmail.postings.codes import KIND_BITS, KIND_MASK, code_of
from killreport.killmail.stored.activity import CELLS, SLOTS, change, hours_in
from killreport.killmail.stored.system_figures import SYSTEM_KINDS, join, pack, people_in, split

Figures = tuple[int, ...]
# Around every length that a number has, and one in between.
NUMBERS = [n + d for n in (2, 2**7, 2**8, 2**16, 2**31, 2**32, 2**53) for d in (-1, 0, 1)] + [2**63 - 1]


def people(number: int) -> dict[int, Figures]:
    dice = random.Random(number)
    few = [tuple(dice.choice([0, *NUMBERS]) for _ in range(6)) for _ in range(1 + number // 3)]
    codes = [code_of(dice.choice(SYSTEM_KINDS), dice.choice(NUMBERS) + dice.randrange(-1, 1)) for _ in range(number)]
    return {code: figures for code in codes if any(figures := dice.choice(few)) and code >> KIND_BITS}


def figures_in(row: bytes) -> dict[int, Figures]:
    return {code_of(kind, id_): split(joined) for kind, people in people_in(row) for id_, joined in people}


async def test_figures_of_every_size(database: Database) -> None:
    async with database.connection() as connection:
        for number in (*range(1, 20), 300, 70_000):
            everybody = (
                people(number)
                if number < 1000
                else {code_of(1, 90_000_000 + one): (1 + one % 40, 0, 0, 1, 2**40, 0) for one in range(number)}
            )
            if not everybody:
                continue
            row = pack({code: join(figures) for code, figures in everybody.items()})
            rows = [tuple(one) for one in await connection.fetch("select * from unpack_system_figures($1)", row)]
            assert {code_of(kind, id_): tuple(figures) for kind, id_, *figures in rows} == everybody
            assert len(rows) == len(everybody)
            packed = await connection.fetchval(
                """select pack_system_figures($1::smallint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::bigint[],
                                              $6::bigint[], $7::bigint[], $8::bigint[])""",
                [code & KIND_MASK for code in everybody],
                [code >> KIND_BITS for code in everybody],
                *zip(*everybody.values(), strict=True),
            )
            assert figures_in(packed) == everybody
            assert len(packed) == len(row)


async def test_hours_with_changes_of_every_size(database: Database) -> None:
    dice = random.Random(5)
    counts = [sign * number for number in NUMBERS[:-4] for sign in (1, -1)]
    log = b"".join(change(dice.randrange(CELLS), dice.choice(counts)) for _ in range(400))
    kills, losses = hours_in(log)
    async with database.connection() as connection:
        rows = [tuple(row) for row in await connection.fetch("select * from unpack_activity($1)", log)]
        packed = await connection.fetchval(
            "select string_agg(pack_activity(slot, kills, losses), '') from unpack_activity($1)", log
        )
    assert rows == [(slot, kills[slot], losses[slot]) for slot in range(SLOTS) if kills[slot] or losses[slot]]
    assert hours_in(packed) == (kills, losses)
