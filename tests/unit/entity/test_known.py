"""Names that are dropped by an event: those alone, and never kept from a read that the event overtook."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from typing import Any, cast

import pytest

from killreport.db.database import Database
from killreport.entity import known
from killreport.entity.known import KnownNames
from killreport.entity.queries import NamedGroup, Names


class Stored:
    """A database whose every character, corporation and alliance has one name; `asked` are the ids it was asked for."""

    def __init__(self) -> None:
        self.name = "Before"
        self.asked: list[int] = []
        self.reading = asyncio.Event()
        self.go_on = asyncio.Event()
        self.go_on.set()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Stored]:
        """Lend itself."""
        yield self


async def names_of(stored: Stored, *several: Collection[int]) -> Names:
    """Read as the real one does; after `reading` is set what is read does not change any more."""
    name = stored.name
    stored.asked += [id_ for ids in several for id_ in ids]
    stored.reading.set()
    await stored.go_on.wait()
    characters, corporations, alliances = several
    return Names(
        dict.fromkeys(characters, name),
        dict.fromkeys(corporations, NamedGroup(name, "T")),
        dict.fromkeys(alliances, NamedGroup(name, "T")),
    )


@pytest.fixture
def stored(monkeypatch: pytest.MonkeyPatch) -> Stored:
    monkeypatch.setattr(known, "names_of", names_of)
    return Stored()


async def get(names: KnownNames, stored: Stored, *several: Any) -> Names:
    return await names.get(cast(Database, stored), *several)


async def test_the_dropped_names_alone_are_read_again(stored: Stored) -> None:
    names = KnownNames(3600)
    await get(names, stored, [1, 2], [3, 4], [5, 6])
    stored.name, stored.asked = "After", []

    names.drop({1, 4, 5, 99})
    found = await get(names, stored, [1, 2], [3, 4], [5, 6])

    assert stored.asked == [1, 4, 5]
    assert found.characters == {1: "After", 2: "Before"}
    assert found.corporations == {3: NamedGroup("Before", "T"), 4: NamedGroup("After", "T")}
    assert found.alliances == {5: NamedGroup("After", "T"), 6: NamedGroup("Before", "T")}


async def test_none_drops_all_names(stored: Stored) -> None:
    names = KnownNames(3600)
    await get(names, stored, [1], [2], [3])
    stored.asked = []

    names.drop(None)
    await get(names, stored, [1], [2], [3])

    assert stored.asked == [1, 2, 3]


async def test_what_was_read_before_a_drop_and_arrives_after_it_is_not_kept(stored: Stored) -> None:
    names = KnownNames(3600)
    stored.go_on.clear()
    reading = asyncio.create_task(get(names, stored, [1], [], []))
    await stored.reading.wait()
    stored.name = "After"
    names.drop({1})
    stored.go_on.set()
    assert (await reading).characters == {1: "Before"}

    assert (await get(names, stored, [1], [], [])).characters == {1: "After"}
