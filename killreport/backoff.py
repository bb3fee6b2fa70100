"""Exponential backoff: how long to wait before the next try, for everything that retries.

A plain count of failures and no decorator: most of those who wait here are told to stop meanwhile, say what they wait
for, or hold something that has to be closed first.
"""

from __future__ import annotations

from collections.abc import Callable

FIRST_PAUSE_SECONDS = 0.5
MAX_PAUSE_SECONDS = 30.0


def backoff_seconds(failures: int, first_seconds: float, max_seconds: float) -> float:
    """Return the pause after so many failures in a row: the first, and twice as long for each further one."""
    return min(first_seconds * 2.0 ** min(failures - 1, 30), max_seconds)


class Backoff:
    """The pauses of one loop. jitter: a factor by chance, so that many do not come back all at once."""

    def __init__(
        self,
        first_seconds: float | None = None,
        max_seconds: float | None = None,
        *,
        jitter: Callable[[], float] = lambda: 1.0,
    ) -> None:
        self._first_seconds = FIRST_PAUSE_SECONDS if first_seconds is None else first_seconds
        self._max_seconds = MAX_PAUSE_SECONDS if max_seconds is None else max_seconds
        self._jitter = jitter
        self.failures = 0

    def next(self) -> float:
        """Count a failure, and return how many seconds to wait after it."""
        self.failures += 1
        return backoff_seconds(self.failures, self._first_seconds, self._max_seconds) * self._jitter()

    def reset(self) -> None:
        """Begin anew: it went well."""
        self.failures = 0
