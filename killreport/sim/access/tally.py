"""Counts what was asked: by route, by host and status, and how much within a second."""

from __future__ import annotations

import re
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

from killreport.clock import monotonic
from killreport.sim.access.hosts import host_of

_VERSION = re.compile(r"^/(\{version[^}]*\}|latest|legacy|dev|v\d{1,2})(?=/)")
_WINDOW_SECONDS = 1.0


class _Rate:
    """How many requests any second had at most."""

    def __init__(self) -> None:
        self._times: deque[float] = deque()
        self.peak = 0
        self.total = 0
        self.first = 0.0
        self.last = 0.0

    def note(self, now: float) -> None:
        if not self.total:
            self.first = now
        self.total += 1
        self.last = now
        self._times.append(now)
        while self._times[0] <= now - _WINDOW_SECONDS:
            self._times.popleft()
        self.peak = max(self.peak, len(self._times))


class RequestTally:
    """The counts since the start, or since they were last cleared. Durations are real ones, whatever the clock says."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._rates: dict[str, _Rate] = {}
        self.by_route: Counter[str] = Counter()
        self._operations: Counter[str] = Counter()
        self._statuses: Counter[tuple[str, int]] = Counter()

    def note_request(self, method: str, path: str, route: str) -> None:
        """Count a request. route: the path with its variable parts as {name}."""
        self.by_route[route] += 1
        self._operations[f"{method} {_VERSION.sub('', route).rstrip('/') or '/'}"] += 1
        self._rates.setdefault(host_of(path), _Rate()).note(self._clock())

    def note_answer(self, path: str, status: int) -> None:
        """Count an answer."""
        self._statuses[host_of(path), status] += 1

    def clear(self) -> None:
        """Begin again."""
        self._rates.clear()
        self.by_route.clear()
        self._operations.clear()
        self._statuses.clear()

    def summary(self) -> dict[str, Any]:
        """Return all counts. operations: routes without version and slash at the end. peak: in any one second."""
        hosts = {
            host: {
                "requests": rate.total,
                "seconds": round(rate.last - rate.first, 3),
                "peak_per_second": rate.peak,
                "statuses": {str(s): n for (of, s), n in sorted(self._statuses.items()) if of == host},
            }
            for host, rate in sorted(self._rates.items())
        }
        return {"total": self.by_route.total(), "operations": dict(sorted(self._operations.items())), "hosts": hosts}
