"""How long to wait before a process that ended by itself is started again."""

from __future__ import annotations

import random

from killreport.backoff import backoff_seconds

# After so many quick ends in a row a process is `errored`, and tried slowly from then on.
MAX_QUICK_ENDS = 8
SLOW_SECONDS = 300.0
# Whoever ran for this long is not in a crash loop.
STEADY_SECONDS = 60.0
_FIRST_SECONDS = 0.05
_BASE_SECONDS = 0.5
_MAX_SECONDS = 15.0


class RestartBackoff:
    """Counts the quick ends of one process. least_seconds: the row's own restart delay."""

    def __init__(self, least_seconds: float) -> None:
        self.least_seconds = least_seconds
        self.quick_ends = 0
        self.refusals = 0

    @property
    def is_errored(self) -> bool:
        """Tell whether it ended too often."""
        return self.quick_ends >= MAX_QUICK_ENDS

    def after_end(self, ran_seconds: float) -> float:
        """Return the pause after an end: hardly one for the first, then about doubled each time, with jitter."""
        if ran_seconds >= STEADY_SECONDS:
            self.quick_ends = 0
        self.quick_ends += 1
        self.refusals = 0
        if self.is_errored:
            pause = SLOW_SECONDS
        elif self.quick_ends == 1:
            pause = _FIRST_SECONDS
        else:
            pause = backoff_seconds(self.quick_ends - 1, _BASE_SECONDS, _MAX_SECONDS)
        return max(self.least_seconds, pause * random.uniform(0.85, 1.15))  # noqa: S311 - jitter is no secret

    def after_refusal(self) -> float:
        """Return the pause after the machine did not let it start: that may pass, so it is never given up on."""
        self.refusals += 1
        pause = backoff_seconds(self.refusals, _BASE_SECONDS, _MAX_SECONDS)
        return pause * random.uniform(0.85, 1.15)  # noqa: S311 - jitter is no secret

    def reset(self) -> None:
        """Forget what was: somebody asked for a start."""
        self.quick_ends = 0
        self.refusals = 0
