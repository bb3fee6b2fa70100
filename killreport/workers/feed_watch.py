"""What the feed's worker waits for: the feed's host that does not answer, or a kill where none came for long."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta

import structlog

from killreport.clock import utc_now
from killreport.coordination.heartbeats import WaitState

log = structlog.get_logger()


class FeedWatch:
    """Told what becomes of each question to the feed; asked by the heartbeat what is being waited for.

    silence_seconds: a feed without a kill for longer is said to be silent; 0: never.
    """

    def __init__(self, feed: str, silence_seconds: float, *, now: Callable[[], datetime] = utc_now) -> None:
        self._feed = feed
        self._silence = timedelta(seconds=silence_seconds)
        self._now = now
        self._heard_at = now()
        self._trouble: WaitState | None = None
        self._is_silent = False

    def on_trouble(self, reason: str) -> None:
        """Take note that the host did not answer, or with something else."""
        since = self._now() if self._trouble is None else self._trouble.since
        self._trouble = WaitState("the feed", reason.rstrip("."), since)

    def on_answer(self) -> None:
        """Take note that the host answered, if only that there is nothing yet."""
        self._trouble = None

    def on_kill(self) -> None:
        """Take note that a kill of the feed was stored."""
        self._heard_at = self._now()
        if self._is_silent:
            self._is_silent = False
            log.info("feed_speaks", feed=self._feed)

    def waiting(self) -> WaitState | None:
        """Return what is waited for now; a silence is logged when it is first seen."""
        if self._trouble is not None:
            return self._trouble
        # A clock that was set back makes no silence, and one set ahead none that lasts.
        self._heard_at = min(self._heard_at, self._now())
        if not self._silence or self._now() - self._heard_at <= self._silence:
            return None
        if not self._is_silent:
            self._is_silent = True
            log.warning("feed_silent", feed=self._feed, seconds=self._silence.total_seconds())
        return WaitState("a kill", f"none was stored since {self._heard_at:%H:%M} UTC", self._heard_at)
