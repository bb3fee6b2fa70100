"""What processes say before the supervisor knows that it has them: a forked one may be ready before its id arrives."""

from __future__ import annotations

from collections.abc import Mapping

from killreport.clock import monotonic

# Far longer than an id takes to arrive, far shorter than an id takes to be another process's.
KEPT_SECONDS = 30.0
MOST_KEPT = 64


class EarlyWords:
    """Keeps words by the session of who said them, for whoever claims it soon."""

    def __init__(self) -> None:
        self._kept: dict[int, tuple[float, dict[str, str]]] = {}

    def keep(self, session: int, fields: Mapping[str, str]) -> None:
        """Keep what a session said that nobody knows yet; the oldest are forgotten."""
        before = self.claim(session)
        self._kept[session] = (monotonic(), {**before, **fields})
        while len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]

    def claim(self, session: int) -> dict[str, str]:
        """Return, once, what the session said lately."""
        at, fields = self._kept.pop(session, (0.0, {}))
        return fields if monotonic() - at <= KEPT_SECONDS else {}
