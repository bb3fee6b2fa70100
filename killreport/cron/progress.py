"""What a job and the one who runs it tell each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import structlog

from killreport.clock import monotonic

LOG_EVERY_SECONDS = 10.0

log = structlog.get_logger()


class JobProgress:
    """The figures of a run, counted while it goes on: a run that is broken off has them too.

    everything: the caller wants the whole, not only what is due.
    """

    def __init__(self, *, everything: bool = False, clock: Callable[[], float] = monotonic) -> None:
        self.everything = everything
        self.counts: Counter[str] = Counter()
        self._clock = clock
        self._logged_at = clock()

    def count(self, name: str, by: int = 1) -> None:
        """Add to a figure, and log all of them where that was not done for ten seconds."""
        self.counts[name] += by
        now = self._clock()
        if now - self._logged_at >= LOG_EVERY_SECONDS:
            self._logged_at = now
            log.info("job_progress", **self.counts)
