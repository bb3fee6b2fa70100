"""R2Z2, zKillboard's live feed: numbered files, one a killmail. The rules are in `walk`; this asks and waits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import NamedTuple, Protocol

import msgspec
import structlog

from killreport.clock import monotonic
from killreport.config import Settings
from killreport.decoding import Count, decode_json, is_json
from killreport.errors import CutShort, HostAway, KillreportError, Malformed, NotFound
from killreport.http import Sleep
from killreport.zkillboard.package import FeedDelivery, Package, UnreadablePackage, decode_package, is_removed
from killreport.zkillboard.walk import Answer, Ask, FoundPackage, Goal, Head, Wait, Walk

NAME = "r2z2"
# A body that is no JSON was cut short on the way; when it stays so, it was published so.
MAX_CUT_ANSWERS = 5
# What was read this long ago is read again: that a number was not there yet, or a host away, may be over.
MAX_AHEAD_SECONDS = 1.0

log = structlog.get_logger()


class Fetch(Protocol):
    """The part of the HTTP client that a feed uses."""

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the body, or raise as `HttpClient.get` does."""


class _HeadFile(msgspec.Struct):
    sequence: Count


class _Ahead(NamedTuple):
    """What was asked ahead of its time, and when the answer came."""

    step: Ask
    answer: Answer
    at: float


class R2z2Feed:
    """Follows the feed from where the walk stands.

    on_answer: called whenever the feed's host has answered with a file or with "not there yet". on_nothing: called
    when the number after the newest that was read is not there yet. on_trouble: called with the reason whenever the
    host did not answer, or with something else.
    """

    name = NAME

    def __init__(
        self,
        http: Fetch,
        url: str,
        walk: Walk,
        *,
        on_answer: Callable[[], None] = lambda: None,
        on_nothing: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str], None] = lambda _reason: None,
        clock: Callable[[], float] = monotonic,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._url = url
        self._walk = walk
        self._on_answer = on_answer
        self._on_nothing = on_nothing
        self._on_trouble = on_trouble
        self._clock = clock
        self._sleep = sleep
        self._cut_answers: dict[int, int] = {}
        self._ahead: _Ahead | None = None

    async def next(self) -> FeedDelivery:
        """Return what is to be stored next, waiting for it as long as it takes; may be cancelled at any time.

        What it returned counts as stored: only ask again once it is. Meanwhile `read_ahead` may be called.
        """
        while True:
            step = self._walk.next_step(self._clock())
            if isinstance(step, Wait):
                await self._sleep(step.seconds)
                continue
            was_banned = self._walk.is_banned
            answer = self._take_ahead(step) or await self._ask(step)
            delivery = self._walk.take(step, answer, self._clock())
            if isinstance(answer, KillreportError) and not isinstance(answer, NotFound):
                self._tell_trouble(step, answer, was_banned)
            else:
                self._on_answer()
            if step.goal is Goal.NEXT and isinstance(answer, NotFound):
                self._on_nothing()
            if delivery is not None:
                return delivery

    async def read_ahead(self) -> None:
        """Ask for the number that comes after what `next` returned, while that is being stored; cancel it at any time.

        Nothing counts as read by it: the answer is kept for `next`, which would have asked the same.
        """
        step = self._walk.next_step(self._clock())
        if isinstance(step, Ask) and step.goal is Goal.NEXT:
            answer = await self._ask(step)
            self._ahead = _Ahead(step, answer, self._clock())

    def _take_ahead(self, step: Ask) -> Answer | None:
        ahead = self._ahead
        if ahead is None or ahead.step != step:
            return None
        self._ahead = None
        return ahead.answer if self._clock() - ahead.at <= MAX_AHEAD_SECONDS else None

    async def _ask(self, ask: Ask) -> Answer:
        try:
            if ask.sequence is None:
                return Head(decode_json(await self._get("sequence"), _HeadFile).sequence)
            # What was given up once already is not waited for: it has its own turns.
            is_patient = ask.goal in (Goal.NEXT, Goal.PROBE)
            return FoundPackage(await self._read_package(ask.sequence, is_patient=is_patient))
        except KillreportError as error:
            return error

    async def _get(self, name: str) -> bytes:
        return await self._http.get(f"{self._url}/ephemeral/{name}.json")

    async def _read_package(self, sequence: int, *, is_patient: bool) -> Package | UnreadablePackage | None:
        body = b""
        may_heal = False
        try:
            body = await self._get(str(sequence))
            may_heal = not is_json(body)
            if may_heal and is_patient and self._may_be_cut(sequence):
                raise HostAway("The feed sent a body that ends too early.")
            return None if is_removed(body) else decode_package(body, sequence)
        except CutShort as error:
            if is_patient and self._may_be_cut(sequence):
                raise
            return UnreadablePackage(str(error), "$", body, sequence, may_heal=True)
        except Malformed as error:
            return UnreadablePackage(error.reason, error.path, body, sequence, may_heal=may_heal)

    def _may_be_cut(self, sequence: int) -> bool:
        count = self._cut_answers.get(sequence, 0) + 1
        self._cut_answers = {sequence: count}
        return count < MAX_CUT_ANSWERS

    def _tell_trouble(self, ask: Ask, answer: KillreportError, was_banned: bool) -> None:
        self._on_trouble(str(answer))
        if not self._walk.is_banned:
            log.warning("feed_trouble", feed=NAME, sequence=ask.sequence, reason=str(answer))
        elif not was_banned:
            log.error("feed_refused", feed=NAME, sequence=ask.sequence, reason=str(answer), pause_seconds=3600)


def make_walk(settings: Settings, next_sequence: int | None) -> Walk:
    """Return a walk that begins at the stored cursor; None: at the head, or as far before it as the settings say."""
    return Walk(
        next_sequence,
        wait_seconds=settings.feed_wait_seconds,
        gap_seconds=settings.feed_gap_seconds,
        behind=settings.feed_behind,
    )
