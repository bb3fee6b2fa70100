"""News of entities: acted on at once, and together where many come."""

from __future__ import annotations

import asyncio

import pytest

from killreport.api.state import entity_news as news
from killreport.api.state.entity_news import EntityNews
from tests.unit.coordination.told import Told

PATIENCE_SECONDS = 20


class Forgotten:
    """Takes what is to be forgotten."""

    def __init__(self) -> None:
        self._calls: asyncio.Queue[frozenset[int] | None] = asyncio.Queue()

    def __call__(self, ids: frozenset[int] | None) -> None:
        """Note a call."""
        self._calls.put_nowait(ids)

    async def next(self) -> frozenset[int] | None:
        """Return what the next call was about."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self._calls.get()


@pytest.fixture
def events() -> Told:
    return Told()


async def test_what_is_told_is_forgotten_and_what_nobody_knows_is_everything(
    events: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(news, "PAUSE_SECONDS", 0)
    forgotten = Forgotten()
    async with EntityNews(events, forgotten).running():
        for payload, ids in (("1,2", frozenset({1, 2})), ("", None), ("3", frozenset({3}))):
            events.payloads.put_nowait(payload)
            assert await forgotten.next() == ids


async def test_what_comes_together_is_acted_on_together(events: Told) -> None:
    forgotten = Forgotten()
    async with EntityNews(events, forgotten).running():
        for number in range(100):
            events.payloads.put_nowait(str(number))
        heard: set[int] = set()
        calls = 0
        while len(heard) < 100:
            heard |= await forgotten.next() or set()
            calls += 1
    assert calls <= 2


async def test_among_others_one_that_says_any_means_all(events: Told) -> None:
    forgotten = Forgotten()
    for payload in ("1", "", "2"):
        events.payloads.put_nowait(payload)
    async with EntityNews(events, forgotten).running():
        assert await forgotten.next() is None
