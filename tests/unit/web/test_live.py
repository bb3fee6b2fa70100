"""The live feed, with an API that is told what to answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import cast

import pytest
import structlog.testing

from killreport.errors import Unavailable
from killreport.web import live
from killreport.web.client import ApiClient
from killreport.web.live import PAGE_ROWS, LiveFeed
from killreport.web.model import (
    ApiFeedState,
    ApiKillRow,
    ApiPage,
    ApiPageInfo,
    ApiStatus,
    FeedAnswer,
    ListAnswer,
    StatusOfFeed,
)
from tests.unit.web.examples import NOON, make_row


class ToldApi:
    """An API whose newest page and live rows the test decides; None among the rows breaks the stream."""

    def __init__(self) -> None:
        self.newest: list[ApiKillRow] = []
        self.rows: asyncio.Queue[ApiKillRow | None] = asyncio.Queue()
        self.is_silent = False

    async def list_killmails(self, first: int, after: str | None) -> ListAnswer:
        """Return the newest page."""
        return ListAnswer(ApiPage(self.newest[:first], ApiPageInfo(False, after)), ApiStatus(0, None))

    async def feed(self) -> FeedAnswer:
        """Return that the feed brings kills, or does not."""
        return FeedAnswer(StatusOfFeed(0, None, ApiFeedState(NOON, NOON, self.is_silent, None)))

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[ApiKillRow]]:
        """Lend the told rows."""

        async def rows() -> AsyncIterator[ApiKillRow]:
            while (row := await self.rows.get()) is not None:
                yield row
            raise Unavailable("told to break")

        yield rows()


@pytest.fixture
def api() -> ToldApi:
    """Return an API with nothing to tell."""
    return ToldApi()


@pytest.fixture
async def feed(api: ToldApi, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveFeed]:
    """Yield a feed that runs and does not wait after a break."""
    monkeypatch.setattr(live, "FIRST_WAIT_SECONDS", 0)
    monkeypatch.setattr(live, "MAX_WAIT_SECONDS", 0)
    feed = LiveFeed(cast(ApiClient, api), lambda row: str(row.id))
    with structlog.testing.capture_logs():
        async with feed.running():
            yield feed


async def kills(browser: live.Browser, number: int) -> list[int]:
    """Return the next kills, passing over changes of the state."""
    found: list[int] = []
    async with asyncio.timeout(10):
        while len(found) < number:
            event = await browser.next()
            assert event is not None
            if event.name == "kill":
                found.append(int(event.data))
    return found


async def test_rows_are_passed_on_once(feed: LiveFeed, api: ToldApi) -> None:
    async with feed.browser(None) as browser:
        for number in (1, 2, 2, 1, 3):
            api.rows.put_nowait(make_row(number))
        assert await kills(browser, 3) == [1, 2, 3]


async def test_after_a_break_what_was_missed_comes_oldest_first_and_nothing_twice(feed: LiveFeed, api: ToldApi) -> None:
    async with feed.browser(None) as browser:
        api.rows.put_nowait(make_row(1))
        assert await kills(browser, 1) == [1]
        api.newest = [make_row(3), make_row(2), make_row(1)]
        api.rows.put_nowait(None)
        api.rows.put_nowait(make_row(4))
        assert await kills(browser, 3) == [2, 3, 4]


async def test_an_import_of_old_kills_is_not_passed_on(feed: LiveFeed, api: ToldApi) -> None:
    async with feed.browser(None) as browser:
        for number in range(PAGE_ROWS):
            api.rows.put_nowait(make_row(1000 + number))
        assert len(await kills(browser, PAGE_ROWS)) == PAGE_ROWS
        for number in range(500):
            api.rows.put_nowait(make_row(number, NOON - timedelta(days=1)))
        api.rows.put_nowait(make_row(5000))
        assert await kills(browser, 1) == [5000]


async def test_a_page_that_stops_reading_is_ended_and_can_come_back(
    feed: LiveFeed, api: ToldApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "QUEUE_LENGTH", 10)
    async with feed.browser(None) as slow, feed.browser(None) as quick:
        seen: list[int] = []
        for number in range(20):
            api.rows.put_nowait(make_row(number))
            seen += await kills(quick, 1)
        assert seen == list(range(20))
        events = []
        while (event := await slow.next()) is not None:
            events.append(event)
    last = events[-1].event_id
    received = [int(event.data) for event in events if event.name == "kill"]
    assert received == list(range(len(received)))
    async with feed.browser(last) as back:
        assert received + await kills(back, 20 - len(received)) == list(range(20))


async def test_an_id_of_another_start_or_no_id_at_all_gets_the_newest_page(feed: LiveFeed, api: ToldApi) -> None:
    async with feed.browser(None) as first:
        for number in range(60):
            api.rows.put_nowait(make_row(number))
        await kills(first, 60)
    for last in (None, "", "0000-5", "nonsense", f"{feed.last_event_id}x", f"{feed.last_event_id.split('-')[0]}-99x"):
        async with feed.browser(last) as back:
            assert await kills(back, PAGE_ROWS) == list(range(10, 60))


async def test_the_end_of_the_feed_ends_every_stream(api: ToldApi) -> None:
    feed = LiveFeed(cast(ApiClient, api), lambda row: str(row.id))
    async with feed.running(), feed.browser(None) as browser:
        feed.end_all()
        events = [await browser.next() for _ in range(2)]
    assert [event and event.data for event in events] == ["waiting", None]


async def states(browser: live.Browser, number: int) -> list[str]:
    """Return what the lamp is told next, passing over kills."""
    found: list[str] = []
    async with asyncio.timeout(10):
        while len(found) < number:
            event = await browser.next()
            assert event is not None
            if event.name == "state":
                found.append(event.data)
    return found


async def test_the_lamp_says_since_when_no_kill_came_until_one_comes(
    api: ToldApi, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live, "LOOK_SECONDS", 3600)
    api.is_silent = True
    feed = LiveFeed(cast(ApiClient, api), lambda row: str(row.id))
    async with feed.running(), feed.browser(None) as browser:
        told = [""]
        while not told[-1].startswith("silent"):
            told += await states(browser, 1)
        api.rows.put_nowait(make_row(1))
        told += await states(browser, 1)
    assert told[-2:] == [f"silent No kill since {NOON:%Y-%m-%d %H:%M} UTC", "live"]


@pytest.mark.parametrize(
    ("feed", "words"),
    [
        (ApiFeedState(NOON, NOON, False, "waiting for the feed"), None),
        (ApiFeedState(NOON, NOON, True, None), f"No kill since {NOON:%H:%M} UTC"),
        (
            ApiFeedState(NOON - timedelta(days=2), None, True, None),
            f"No kill since {NOON - timedelta(days=2):%Y-%m-%d %H:%M} UTC",
        ),
        (ApiFeedState(None, None, True, None), "No kill yet"),
    ],
)
def test_a_silence_in_words(feed: ApiFeedState, words: str | None) -> None:
    assert live.silence_words(feed, NOON + timedelta(minutes=10)) == words
