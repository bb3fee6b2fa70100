"""Names that are remembered: asked for once while they are fresh, never longer, and never that one is missing."""

from __future__ import annotations

import pytest

from killreport.db.database import Database
from killreport.entity import known
from killreport.entity.known import KnownNames
from killreport.entity.queries import NamedGroup


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    """Return the clock that names grow old by."""
    found = Clock()
    monkeypatch.setattr(known, "monotonic", found)
    return found


async def rename(database: Database, name: str) -> None:
    async with database.connection() as connection:
        await connection.execute(
            """insert into character (character_id, name) values (1, $1)
               on conflict (character_id) do update set name = excluded.name""",
            name,
        )
        await connection.execute(
            """insert into corporation (corporation_id, name, ticker) values (2, $1, 'T')
               on conflict (corporation_id) do update set name = excluded.name""",
            name,
        )


async def test_a_name_is_remembered_for_its_time_and_then_read_again(database: Database, clock: Clock) -> None:
    names = KnownNames(60)
    await rename(database, "Before")
    assert (await names.get(database, [1], [2], [])).characters == {1: "Before"}

    await rename(database, "After")
    clock.now += 59
    found = await names.get(database, [1], [2], [])
    assert (found.characters, found.corporations) == ({1: "Before"}, {2: NamedGroup("Before", "T")})

    clock.now += 2
    found = await names.get(database, [1], [2], [])
    assert (found.characters, found.corporations) == ({1: "After"}, {2: NamedGroup("After", "T")})


async def test_that_a_name_is_not_known_is_not_remembered(database: Database, clock: Clock) -> None:
    names = KnownNames(60)
    assert (await names.get(database, [1], [], [])).characters == {}
    await rename(database, "Known now")
    assert (await names.get(database, [1], [], [])).characters == {1: "Known now"}


async def test_what_is_remembered_is_joined_with_what_is_read(database: Database, clock: Clock) -> None:
    names = KnownNames(60)
    await rename(database, "One")
    await names.get(database, [1], [], [])
    async with database.connection() as connection:
        await connection.execute("insert into character (character_id, name) values (3, 'Three')")
    assert (await names.get(database, [3, 1], [2], [])).characters == {1: "One", 3: "Three"}


async def test_of_too_many_the_oldest_are_forgotten_and_zero_seconds_remember_nothing(
    database: Database, clock: Clock
) -> None:
    async with database.connection() as connection:
        await connection.executemany(
            "insert into character (character_id, name) values ($1, $2)", [(number, "Old") for number in range(5)]
        )
    bounded, forgetful = KnownNames(60, most=3), KnownNames(0)
    for names in (bounded, forgetful):
        await names.get(database, range(5), [], [])
    async with database.connection() as connection:
        await connection.execute("update character set name = 'New'")
    assert (await bounded.get(database, range(5), [], [])).characters == {
        0: "New",
        1: "New",
        2: "Old",
        3: "Old",
        4: "Old",
    }
    assert set((await forgetful.get(database, range(5), [], [])).characters.values()) == {"New"}
