"""How much one client may ask: the windows and budgets of the real hosts, kept per address."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

Now = Callable[[], float]


@dataclass(frozen=True)
class Verdict:
    """Whether a request may pass; if not, with which status and after how many seconds to try again."""

    status: int = 200
    retry_after: int = 0

    @property
    def is_allowed(self) -> bool:
        """Return whether the request may pass."""
        return self.status == 200


@dataclass
class _Caller:
    times: deque[float] = field(default_factory=deque)
    blocked_until: float = 0.0
    banned_until: float = 0.0
    violations: int = 0


class FeedLimit:
    """R2Z2's: so many requests in any second; above it 429, and who goes on regardless is shut out with 403.

    Source: clients of R2Z2 report 15 requests a second and a 403 for an hour on violation (checked 2026-07-18).
    """

    def __init__(
        self, now: Now, *, per_second: int = 15, retry_after: int = 10, violations: int = 30, ban_seconds: int = 3600
    ) -> None:
        """`violations`: as many refused requests without a pause in between lead to the ban."""
        self._now = now
        self._per_second = per_second
        self._retry_after = retry_after
        self._violations = violations
        self._ban_seconds = ban_seconds
        self._callers: dict[str, _Caller] = {}

    def ask(self, address: str) -> Verdict:
        """Count one request of this address and say whether it may pass."""
        now = self._now()
        caller = self._callers.setdefault(address, _Caller())
        if now < caller.banned_until:
            return Verdict(403, int(caller.banned_until - now) + 1)
        if now < caller.blocked_until:
            return self._refuse(caller, now)
        while caller.times and caller.times[0] <= now - 1:
            caller.times.popleft()
        if len(caller.times) >= self._per_second:
            caller.blocked_until = now + self._retry_after
            return self._refuse(caller, now)
        caller.times.append(now)
        caller.violations = 0
        return Verdict()

    def _refuse(self, caller: _Caller, now: float) -> Verdict:
        caller.violations += 1
        if caller.violations >= self._violations:
            caller.banned_until = now + self._ban_seconds
            return Verdict(403, self._ban_seconds)
        return Verdict(429, max(1, int(caller.blocked_until - now + 0.999)))


class PauseLimit:
    """zKillboard's: one request of an address to the lists in so many seconds; a refused one does not count.

    Source: spec of worker-zkillboard, 10 s between requests to the same endpoint; the host publishes no number.
    """

    # What a client that waits exactly as long as it should may be early by.
    GRACE_SECONDS = 0.25

    def __init__(self, now: Now, *, seconds: float = 10.0) -> None:
        self._now = now
        self._seconds = seconds
        self._last: dict[str, float] = {}

    def ask(self, address: str) -> Verdict:
        """Count one request of this address, where it may pass, and say whether it may."""
        now = self._now()
        wait = self._last.get(address, -math.inf) + self._seconds - now
        if wait > self.GRACE_SECONDS:
            return Verdict(429, math.ceil(wait))
        self._last[address] = now
        return Verdict()


@dataclass(frozen=True)
class BucketState:
    """Where a token bucket stands after a request."""

    limit: int
    window: str
    remaining: int
    used: int
    retry_after: int


class TokenBuckets:
    """ESI's rate limit by group and caller over a floating window: a 2xx costs 2, a 3xx 1, a 4xx 5, a 5xx nothing.

    Source: esi-docs, services/esi/rate-limiting.
    """

    WINDOW_SECONDS = 900
    WINDOW = "15m"

    def __init__(self, now: Now) -> None:
        self._now = now
        self._spent: dict[tuple[str, str], deque[tuple[float, int]]] = {}

    def state(self, group: str, caller: str, limit: int, cost: int = 0) -> BucketState:
        """Spend `cost` and return where the bucket stands; a bucket may go below nothing by its last request."""
        now = self._now()
        spent = self._spent.setdefault((group, caller), deque())
        while spent and spent[0][0] <= now - self.WINDOW_SECONDS:
            spent.popleft()
        if cost:
            spent.append((now, cost))
        used = sum(tokens for _, tokens in spent)
        wait = int(spent[0][0] + self.WINDOW_SECONDS - now) + 1 if spent else 0
        return BucketState(limit, self.WINDOW, max(0, limit - used), cost, wait)

    @staticmethod
    def cost(status: int) -> int:
        """Return what an answer with this status costs."""
        if status == 429 or status >= 500:
            return 0
        return 5 if status >= 400 else 1 if status >= 300 else 2


class ErrorLimit:
    """ESI's older limit: a hundred answers other than 2xx and 3xx in a minute by the clock, then 420 on every route."""

    ALLOWED = 100
    WINDOW_SECONDS = 60

    def __init__(self, now: Now) -> None:
        self._now = now
        self._errors: dict[str, tuple[int, int]] = {}

    def standing(self, caller: str) -> tuple[int, int]:
        """Return how many errors are left and in how many seconds they are all back."""
        now = self._now()
        window = int(now // self.WINDOW_SECONDS)
        known, errors = self._errors.get(caller, (window, 0))
        left = self.ALLOWED - (errors if known == window else 0)
        return max(0, left), self.WINDOW_SECONDS - int(now % self.WINDOW_SECONDS)

    def count_error(self, caller: str) -> None:
        """Note one error."""
        window = int(self._now() // self.WINDOW_SECONDS)
        known, errors = self._errors.get(caller, (window, 0))
        self._errors[caller] = (window, errors + 1 if known == window else 1)
