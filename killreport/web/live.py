"""The live stream: one subscription to the API, fanned out to every open page as rendered rows.

The feed knows the newest rows a first page shows. Whenever its subscription begins, also again after a break, it asks
for the newest page and passes on what it has not passed on yet; so nothing is missed that a first page would show.
Browsers say which event they saw last: where that is still remembered they get what followed, else the whole newest
page, and drop what they have.
"""

from __future__ import annotations

import asyncio
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from types import EllipsisType
from typing import Literal

import structlog

from killreport.background import beside, keep
from killreport.clock import utc_now
from killreport.errors import KillreportError
from killreport.ids import read_whole
from killreport.web.client import ApiClient
from killreport.web.model import ApiFeedState, ApiKillRow

# Rows of a first page; browsers keep as many.
PAGE_ROWS = 50
REMEMBERED_EVENTS = 500
QUEUE_LENGTH = 200
FIRST_WAIT_SECONDS = 0.5
MAX_WAIT_SECONDS = 15.0
# How often the API is asked whether the feed still brings killmails: the subscription alone lives on without any.
LOOK_SECONDS = 20.0

State = Literal["live", "silent", "waiting"]
Render = Callable[[ApiKillRow], str]
_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Event:
    """A rendered row, with the number that browsers give back, or a change of the state of the feed."""

    name: Literal["kill", "state"]
    event_id: str | None
    data: str


def silence_words(feed: ApiFeedState, now: datetime) -> str | None:
    """Return what the lamp says of a feed that has been silent for longer than its norm; None for one that was not."""
    if not feed.is_silent:
        return None
    newest = feed.newest_killmail_at
    if newest is None:
        return "No kill yet"
    is_of_today = newest.date() == now.date()
    return f"No kill since {newest:%H:%M} UTC" if is_of_today else f"No kill since {newest:%Y-%m-%d %H:%M} UTC"


class Browser:
    """One open page's bounded queue; None in it ends the stream."""

    def __init__(self, events: Iterable[Event]) -> None:
        self._queue: asyncio.Queue[Event | None] = asyncio.Queue()
        for event in events:
            self._queue.put_nowait(event)

    def offer(self, event: Event) -> bool:
        """Queue the event; where too many wait, end the stream instead and return False: the page will come back."""
        if self._queue.qsize() >= QUEUE_LENGTH:
            self._queue.put_nowait(None)
            return False
        self._queue.put_nowait(event)
        return True

    def end(self) -> None:
        """End the stream after what is queued."""
        self._queue.put_nowait(None)

    async def next(self) -> Event | None:
        """Return the next event, or None at the end."""
        return await self._queue.get()


class LiveFeed:
    """Holds the subscription, the newest page and what was passed on lately.

    render: makes the data of an event of a row.
    """

    def __init__(self, client: ApiClient, render: Render) -> None:
        self._client = client
        self._render = render
        # Numbers start again with the process, so an id names the process too.
        self._start = secrets.token_hex(4)
        self._number = 0
        self._recent: deque[tuple[int, Event]] = deque(maxlen=REMEMBERED_EVENTS)
        self._newest: dict[tuple[datetime, int], Event] = {}
        self._browsers: set[Browser] = set()
        self._is_following = False
        # What the lamp says while the feed brings nothing; None while it does.
        self._silence: str | None = None
        self._shown: Event = Event("state", None, "waiting")

    @property
    def last_event_id(self) -> str:
        """Return the id of the newest event; a page rendered after this shows everything up to it."""
        return f"{self._start}-{self._number}"

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Follow the API in the background while the block runs; at its end every open stream ends."""
        try:
            async with beside(keep(self._follow, "live-feed")), beside(keep(self._keep_looking, "live-look")):
                yield
        finally:
            self.end_all()

    def end_all(self) -> None:
        """End every open stream; the pages will come back when somebody serves them again."""
        for browser in self._browsers:
            browser.end()
        self._browsers.clear()

    @asynccontextmanager
    async def browser(self, last_event_id: str | None) -> AsyncIterator[Browser]:
        """Lend a stream for a page that saw `last_event_id` last: the state, what it missed, then what comes."""
        browser = Browser([self._shown, *self._missed(last_event_id)])
        self._browsers.add(browser)
        try:
            yield browser
        finally:
            self._browsers.discard(browser)

    def _missed(self, last_event_id: str | None) -> list[Event]:
        start, _, number = (last_event_id or "").partition("-")
        oldest = self._recent[0][0] if self._recent else self._number + 1
        seen = read_whole(number)
        if start == self._start and seen is not None and seen >= oldest - 1:
            return [event for known, event in self._recent if known > seen]
        return [
            Event("kill", self.last_event_id, event.data)
            for event in (self._newest[key] for key in sorted(self._newest))
        ]

    async def _follow(self) -> None:
        wait = FIRST_WAIT_SECONDS
        while True:
            try:
                async with self._client.follow() as rows:
                    for row in reversed((await self._client.list_killmails(PAGE_ROWS, None)).killmails.rows):
                        self._pass_on(row)
                    self._show(is_following=True)
                    wait = FIRST_WAIT_SECONDS
                    async for row in rows:
                        self._pass_on(row)
                        self._show(silence=None)
            except KillreportError as error:
                _log.warning("live_feed_lost", reason=str(error), again_in_seconds=wait)
            except Exception:
                # The live stream is an extra; pages are served without it, and it must come back by itself.
                _log.exception("live_feed_failed", again_in_seconds=wait)
            self._show(is_following=False)
            await asyncio.sleep(wait)
            wait = min(2 * wait, MAX_WAIT_SECONDS)

    def _pass_on(self, row: ApiKillRow) -> None:
        """Send the row to every open page, once, and only where it belongs on a first page."""
        if row.key in self._newest or (len(self._newest) >= PAGE_ROWS and row.key < min(self._newest)):
            return
        self._number += 1
        event = Event("kill", self.last_event_id, self._render(row))
        self._newest[row.key] = event
        if len(self._newest) > PAGE_ROWS:
            del self._newest[min(self._newest)]
        self._recent.append((self._number, event))
        self._send(event)

    async def _keep_looking(self) -> None:
        while True:
            try:
                self._show(silence=silence_words((await self._client.feed()).status.feed, utc_now()))
            except KillreportError as error:
                _log.debug("live_feed_unknown", reason=str(error))  # what follows the API says that it is away
            await asyncio.sleep(LOOK_SECONDS)

    @property
    def state(self) -> State:
        """What the lamp shows."""
        if not self._is_following:
            return "waiting"
        return "live" if self._silence is None else "silent"

    def _show(self, *, is_following: bool | None = None, silence: str | EllipsisType | None = ...) -> None:
        """Take note of what is given, and tell every page where the lamp changes."""
        if is_following is not None:
            self._is_following = is_following
        if not isinstance(silence, EllipsisType):
            self._silence = silence
        words = f"silent {self._silence}" if self.state == "silent" else self.state
        if words != self._shown.data:
            self._shown = Event("state", None, words)
            self._send(self._shown)

    def _send(self, event: Event) -> None:
        for browser in list(self._browsers):
            if not browser.offer(event):
                self._browsers.discard(browser)
