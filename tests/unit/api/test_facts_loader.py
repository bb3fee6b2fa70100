"""Facts that are wanted in one turn of the loop are read together, and again in the next."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from killreport.api.state import entity_facts as facts
from killreport.api.state.entity_facts import FactsLoader
from killreport.entity.kind import EntityKind
from killreport.errors import Unavailable


class Reads:
    """Stands for the database, and notes what was read of it."""

    def __init__(self) -> None:
        self.asked: list[tuple[EntityKind, list[int]]] = []
        self.fails = False

    @asynccontextmanager
    async def connection(self) -> Any:
        yield None

    async def list_facts(self, _connection: object, kind: EntityKind, ids: Collection[int]) -> Mapping[int, Any]:
        self.asked.append((kind, sorted(ids)))
        if self.fails:
            raise Unavailable("away")
        return {id_: f"{kind.name} {id_}" for id_ in ids}


async def load(loader: FactsLoader, kind: EntityKind, ids: list[int]) -> Mapping[int, Any]:
    return await loader.load(kind, ids)


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> Reads:
    found = Reads()
    monkeypatch.setattr(facts, "list_facts", found.list_facts)
    return found


async def test_siblings_are_read_together_by_kind_and_nothing_is_kept(reads: Reads) -> None:
    loader = FactsLoader(reads)  # type: ignore[arg-type]
    one, two, three = await asyncio.gather(
        load(loader, EntityKind.CHARACTER, [1, 2]),
        load(loader, EntityKind.CHARACTER, [2, 3]),
        load(loader, EntityKind.ALLIANCE, [1]),
    )
    assert reads.asked == [(EntityKind.CHARACTER, [1, 2, 3]), (EntityKind.ALLIANCE, [1])]
    assert (one[2], two[3], three[1]) == ("CHARACTER 2", "CHARACTER 3", "ALLIANCE 1")
    await load(loader, EntityKind.CHARACTER, [1])
    assert reads.asked[2:] == [(EntityKind.CHARACTER, [1])]


async def test_nothing_wanted_reads_nothing(reads: Reads) -> None:
    assert await FactsLoader(reads).load(EntityKind.CHARACTER, []) == {}  # type: ignore[arg-type]
    assert reads.asked == []


async def test_one_who_goes_away_takes_nothing_from_the_others(reads: Reads) -> None:
    loader = FactsLoader(reads)  # type: ignore[arg-type]
    leaving = asyncio.create_task(load(loader, EntityKind.CHARACTER, [1]))
    staying = asyncio.create_task(load(loader, EntityKind.CHARACTER, [2]))
    await asyncio.sleep(0)
    leaving.cancel()
    assert (await staying)[2] == "CHARACTER 2"
    assert leaving.cancelled()


async def test_a_failure_is_everybodys_and_the_next_turn_begins_anew(reads: Reads) -> None:
    loader = FactsLoader(reads)  # type: ignore[arg-type]
    reads.fails = True
    both = [load(loader, EntityKind.CHARACTER, [id_]) for id_ in (1, 2)]
    found = await asyncio.gather(*both, return_exceptions=True)
    assert [type(one) for one in found] == [Unavailable, Unavailable]
    reads.fails = False
    assert (await load(loader, EntityKind.CHARACTER, [1]))[1] == "CHARACTER 1"
