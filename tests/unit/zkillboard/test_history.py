"""The files of the history: days, ids with hashes, and whole days of bodies that are read piece by piece."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import date

import pytest

from killreport.errors import Malformed, NotFound, Unavailable
from killreport.zkillboard import history
from killreport.zkillboard.history import HistoryReader, split_members
from tests.unit.zkillboard.hosts import Host

DAY = date(2026, 7, 3)
BODIES = {str(100 + n): {"killmail_id": 100 + n, "victim": {"items": [{"flag": n}]}} for n in range(5)}


async def in_pieces(text: bytes, size: int) -> AsyncIterator[bytes]:
    for start in range(0, len(text), size):
        yield text[start : start + size]


async def split(text: bytes, size: int = 10) -> list[tuple[int, bytes]]:
    return [member async for member in split_members(in_pieces(text, size))]


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64, 65, 1000])
@pytest.mark.parametrize("indent", [None, 2])
async def test_a_day_of_bodies_is_split_the_same_however_it_is_cut_and_written(size: int, indent: int | None) -> None:
    found = await split(json.dumps(BODIES, indent=indent).encode() + b"\n", size)

    assert {str(name): json.loads(body) for name, body in found} == BODIES
    assert [name for name, _ in found] == [100, 101, 102, 103, 104]


@pytest.mark.parametrize("text", [b"{}", b"[]", b" {} \n"])
async def test_a_day_without_killmails_has_none(text: bytes) -> None:
    assert await split(text) == []


async def test_a_file_that_ends_too_early_is_noticed_wherever_it_ends() -> None:
    whole = json.dumps(BODIES).encode()
    for end in range(len(whole)):
        with pytest.raises(Unavailable):
            await split(whole[:end], 50)


async def test_a_killmail_without_bound_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MAX_KILLMAIL_BYTES", 100)

    with pytest.raises(Malformed):
        await split(b'{"7": {"text": "' + b"x" * 200)


async def test_totals_are_by_day() -> None:
    source = HistoryReader(
        Host({"https://feed/history/totals.json": [b'{"20260703": 5, "20260702": 9}']}), "https://feed"
    )

    assert await source.totals() == {DAY: 5, date(2026, 7, 2): 9}


async def test_a_total_of_something_else_than_a_day_is_refused_with_its_name() -> None:
    source = HistoryReader(Host({"https://feed/history/totals.json": [b'{"yesterday": 5}']}), "https://feed")

    with pytest.raises(Malformed) as caught:
        await source.totals()

    assert caught.value.path == "$.yesterday"


async def test_ids_and_hashes_of_a_day() -> None:
    source = HistoryReader(
        Host({"https://feed/history/20260703.json": [b'{"100": "ab", "101": "cd"}']}), "https://feed"
    )

    assert await source.hashes(DAY) == {100: "ab", 101: "cd"}


async def test_a_day_written_as_an_empty_list_has_no_ids() -> None:
    source = HistoryReader(Host({"https://feed/history/20260703.json": [b"[]"]}), "https://feed")

    assert await source.hashes(DAY) == {}


async def test_a_day_that_is_not_published_is_not_found() -> None:
    with pytest.raises(NotFound):
        await HistoryReader(Host({}), "https://feed").hashes(DAY)


async def test_the_bodies_of_a_day_come_by_id() -> None:
    host = Host({"https://feed/history/raw/20260703.json": [json.dumps(BODIES).encode()]})

    found = [killmail_id async for killmail_id, _ in HistoryReader(host, "https://feed").killmails(DAY)]

    assert found == [100, 101, 102, 103, 104]
