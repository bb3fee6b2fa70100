"""Whether the feed brings killmails, and what keeps them away."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from killreport.api.status.feed import FeedState, feed_state
from killreport.coordination.heartbeats import ProcessHeartbeat
from killreport.killmail.stored.queries import FeedStatus

NOW = datetime(2026, 11, 29, 22, 30, tzinfo=UTC)
NORM_SECONDS = 300


def before(minutes: float) -> datetime:
    return NOW - timedelta(minutes=minutes)


def worker(
    *, seen: float = 0, started: float = 60, success: float | None = None, waits: str | None = None
) -> ProcessHeartbeat:
    """Return what the feed's worker last said; times are minutes ago."""
    return ProcessHeartbeat(
        "worker-redisq",
        "host:1",
        before(started),
        before(seen),
        0,
        0,
        0.0,
        None if success is None else before(success),
        None,
        None,
        waits,
        None if waits is None else before(3),
    )


def state(*own: ProcessHeartbeat, moved: float | None = None, norm: float = NORM_SECONDS) -> FeedState:
    status = FeedStatus(5, None, None, None if moved is None else before(moved))
    return feed_state(before(12), status, own, norm, NOW)


@pytest.mark.parametrize(
    ("found", "is_silent", "trouble"),
    [
        (state(worker(success=1), moved=1), False, None),
        (state(worker(success=1), moved=12), False, None),
        (state(worker(success=12), moved=12), True, "no kill was stored for 12m"),
        (state(worker(success=12), moved=12, norm=0), False, None),
        (state(worker(success=None), moved=None), True, "no kill was stored for 1h"),
        (state(worker(success=None, started=2), moved=None), False, None),
        (
            state(worker(success=1, waits="waiting for the feed: name not found")),
            False,
            "waiting for the feed: name not found, for 3m",
        ),
        (state(worker(success=2, seen=1)), False, "worker-redisq, which follows the feed, is not running"),
        (state(worker(success=12, seen=12)), True, "worker-redisq, which follows the feed, is not running"),
        (state(), True, "worker-redisq, which follows the feed, is not running"),
    ],
)
def test_the_feed_is_what_it_did_and_what_its_worker_says(
    found: FeedState, is_silent: bool, trouble: str | None
) -> None:
    assert (found.is_silent, found.trouble) == (is_silent, trouble)
    assert found.newest_killmail_at == before(12)
