"""What the feed's worker says it waits for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from structlog.testing import capture_logs

from killreport.workers.feed_watch import FeedWatch

NORM_SECONDS = 300


class Clock:
    """A time of day that moves when told."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 29, 22, 10, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def later(self, **span: float) -> None:
        """Move it."""
        self.now += timedelta(**span)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def watch(clock: Clock) -> FeedWatch:
    return FeedWatch("r2z2", NORM_SECONDS, now=clock)


def said(watch: FeedWatch, clock: Clock) -> str | None:
    waiting = watch.waiting()
    return None if waiting is None else waiting.said(clock.now)


def test_a_host_that_is_away_is_waited_for_since_it_first_did_not_answer(watch: FeedWatch, clock: Clock) -> None:
    for _ in range(3):
        watch.on_trouble("r2z2.zkillboard.com does not answer (name not found).")
        clock.later(minutes=1)

    assert said(watch, clock) == "waiting for the feed for 3m: r2z2.zkillboard.com does not answer (name not found)"
    watch.on_answer()
    assert said(watch, clock) is None


def test_a_feed_that_answers_and_brings_nothing_for_longer_than_its_norm_is_silent(
    watch: FeedWatch, clock: Clock
) -> None:
    with capture_logs() as logs:
        for _ in range(12):
            clock.later(minutes=1)
            watch.on_answer()
            if clock.now.minute == 15:
                assert said(watch, clock) is None
        assert said(watch, clock) == "waiting for a kill for 12m: none was stored since 22:10 UTC"
        assert said(watch, clock) is not None
        watch.on_kill()
        assert said(watch, clock) is None

    assert [line["event"] for line in logs] == ["feed_silent", "feed_speaks"]


def test_a_clock_that_was_ahead_makes_no_endless_quiet(watch: FeedWatch, clock: Clock) -> None:
    clock.later(days=1)
    watch.on_kill()
    clock.later(days=-1)
    assert said(watch, clock) is None
    clock.later(seconds=NORM_SECONDS + 1)
    assert said(watch, clock) is not None


def test_no_norm_no_silence(clock: Clock) -> None:
    watch = FeedWatch("r2z2", 0, now=clock)
    clock.later(days=9)

    assert said(watch, clock) is None
