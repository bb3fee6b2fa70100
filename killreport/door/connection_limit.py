"""How many connections one service holds: a number of them, fewer for one address, and some that are kept.

The last places are kept for the fleet's own site and the probes of its health, those just before them for addresses
that are exempt from limits. Who else comes then is told to come again, once its request is read far enough to be
answered in order.

Connections that only wait for a next request are kept for long, because whoever is before us reuses them, and hold
nobody up: where there is no room for who comes, the one that has waited longest is closed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Protocol

import structlog
from starlette.datastructures import Headers

from killreport.clock import monotonic
from killreport.config import Settings
from killreport.door.client import Clients, host_key
from killreport.door.descriptors import MAX_DESCRIPTORS, RESERVED, raise_limit

KEPT = 64
MAX_KEPT_SHARE = 8
# Where memory is short, the API and the site are one process with one limit of descriptors.
SERVICES = 2
_TOLD_SECONDS = 10.0
_PROBES = (b"/healthz",)

_log = structlog.get_logger(__name__)


class Admission(Enum):
    """What becomes of a connection: it is served, served if it is one of those that places are kept for, or closed."""

    FREE = "free"
    KEPT = "kept"
    FULL = "full"


class Resting(Protocol):
    """A connection that was answered and waits for its next request."""

    def give_way(self) -> None:
        """Close, and leave the room at once."""


class ConnectionLimit:
    """Counts the connections of one service. most: in all; None: as many as there are descriptors for."""

    def __init__(self, most: int, clients: Clients | None = None, *, clock: Callable[[], float] = monotonic) -> None:
        kept = self._kept = min(KEPT, most // MAX_KEPT_SHARE)
        self._most = most
        self._most_of_exempt = most - kept // 2
        self._most_of_strangers = most - kept
        self._most_per_client = max(1, self._most_of_strangers // 2)
        self._clients = clients
        self._clock = clock
        self._told_at = -_TOLD_SECONDS
        self._taken: Counter[str] = Counter()
        self._count = 0
        # By key, the longest wait first; those of exempt addresses apart, for strangers never close them.
        self._resting: dict[Resting, str] = {}
        self._exempt_resting: dict[Resting, str] = {}

    @classmethod
    def of(cls, settings: Settings) -> ConnectionLimit:
        """Return the room the settings ask for, within the descriptors this process may have."""
        return cls(min(settings.connections, (raise_limit() - RESERVED) // SERVICES), Clients(settings))

    @classmethod
    def wide(cls) -> ConnectionLimit:
        """Return one that is bounded by the descriptors alone."""
        return cls(raise_limit(MAX_DESCRIPTORS) - RESERVED)

    @property
    def count(self) -> int:
        """How many connections are open."""
        return self._count

    def enter(self, host: str) -> Admission:
        """Count a connection from this address, whatever becomes of it; `leave` is due when it ends.

        Where there is no free place, connections that rest are closed, those that have for longest first.
        """
        key = host_key(host)
        is_exempt = self._is_exempt(host)
        entry = self._entry(key, is_exempt=is_exempt)
        while entry is not Admission.FREE and (giving := self._first_resting(key, is_exempt=is_exempt)) is not None:
            giving.give_way()
            entry = self._entry(key, is_exempt=is_exempt)
        self._count += 1
        self._taken[key] += 1
        if entry is not Admission.FREE:
            self._tell(key)
        return entry

    def leave(self, host: str) -> None:
        """Count one connection less."""
        key = host_key(host)
        self._count -= 1
        self._taken[key] -= 1
        if self._taken[key] <= 0:
            del self._taken[key]

    def rest(self, connection: Resting, host: str) -> None:
        """Note that a connection of this address waits for its next request; one that does already keeps its turn."""
        resting = self._exempt_resting if self._is_exempt(host) else self._resting
        resting.setdefault(connection, host_key(host))

    def wake(self, connection: Resting) -> None:
        """Note that a connection waits no more; nothing happens where it did not."""
        if self._resting.pop(connection, None) is None:
            self._exempt_resting.pop(connection, None)

    def is_known(self, host: str, address: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
        """Whether a request is one of those that places are kept for."""
        if address.partition(b"?")[0] in _PROBES:
            return True
        if self._clients is None:
            return False
        return self._clients.client_of(host, Headers(raw=list(headers))).is_fleet

    def _entry(self, key: str, *, is_exempt: bool) -> Admission:
        if self._count >= self._most or (self._taken[key] >= self._most_per_client + self._kept and not is_exempt):
            return Admission.FULL
        if is_exempt:
            return Admission.FREE if self._count < self._most_of_exempt else Admission.KEPT
        if self._count >= self._most_of_strangers or self._taken[key] >= self._most_per_client:
            return Admission.KEPT
        return Admission.FREE

    def _first_resting(self, key: str, *, is_exempt: bool) -> Resting | None:
        """Return which connection is closed for who comes with this key, None where none may be."""
        if not is_exempt and self._taken[key] >= self._most_per_client:
            # Somebody who has many gets no more at the cost of others.
            return next((one for one, owner in self._resting.items() if owner == key), None)
        groups = (self._resting, self._exempt_resting) if is_exempt else (self._resting,)
        return next((one for group in groups for one in group), None)

    def _is_exempt(self, host: str) -> bool:
        return self._clients is not None and self._clients.is_exempt(host)

    def _tell(self, key: str) -> None:
        if self._clock() - self._told_at >= _TOLD_SECONDS:
            self._told_at = self._clock()
            _log.warning("connections_full", open=self._count, most=self._most, client=key)
