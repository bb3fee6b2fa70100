"""How many live connections there may be, in all and for one client."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Self

from killreport.door.client import Client
from killreport.errors import Transient

RETRY_SECONDS = 10


class LimitReached(Transient):
    """There is no room. is_own: the client has as many as one may have; otherwise all are taken."""

    def __init__(self, message: str, *, is_own: bool) -> None:
        super().__init__(message, RETRY_SECONDS)
        self.is_own = is_own

    @property
    def status(self) -> int:
        """What HTTP says of it."""
        return 429 if self.is_own else 503


class Permit:
    """One live connection; given back once, however often that is said."""

    def __init__(self, places: ConcurrencyLimit, key: str) -> None:
        self._places: ConcurrencyLimit | None = places
        self._key = key

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.give_back()

    @contextmanager
    def given_back_on_error(self) -> Iterator[None]:
        """Give the place back where the block raises: whoever is to have it then never comes."""
        try:
            yield
        except BaseException:
            self.give_back()
            raise

    def give_back(self) -> None:
        """Free the place."""
        if self._places is not None:
            self._places._release(self._key)
            self._places = None


class ConcurrencyLimit:
    """Counts what is open in one process. name: of several of them. advice: to a client that has too many."""

    def __init__(self, most: int, most_per_client: int, name: str = "live connections", advice: str = "") -> None:
        self._most = most
        self._most_per_client = most_per_client
        self._name = name
        self._advice = advice
        self._taken: Counter[str] = Counter()
        self._count = 0

    @property
    def count(self) -> int:
        """How many places are taken."""
        return self._count

    def take(self, client: Client) -> Permit:
        """Return a place; the fleet's own gets one always. Raises NoPlace where none is left, or none for this one."""
        if self._count >= self._most and not client.is_fleet:
            message = f"{self._most} {self._name} are open here, which is all there are. Try again later."
            raise LimitReached(message, is_own=False)
        if client.is_limited and self._taken[client.key] >= self._most_per_client:
            message = f"One client may have {self._most_per_client} {self._name}. {self._advice}".strip()
            raise LimitReached(message, is_own=True)
        self._count += 1
        self._taken[client.key] += 1
        return Permit(self, client.key)

    def _release(self, key: str) -> None:
        self._count -= 1
        self._taken[key] -= 1
        if self._taken[key] <= 0:
            del self._taken[key]
