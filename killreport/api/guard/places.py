"""How many live connections there may be, in all and for one client."""

from __future__ import annotations

from collections import Counter

from graphql import GraphQLError

from killreport.api.guard.client import Client
from killreport.config import Settings


class Place:
    """One live connection; given back once, however often that is said."""

    def __init__(self, places: Places, key: str) -> None:
        self._places: Places | None = places
        self._key = key

    def give_back(self) -> None:
        """Free the place."""
        if self._places is not None:
            self._places._release(self._key)
            self._places = None


class Places:
    """Counts live connections of one process."""

    def __init__(self, settings: Settings) -> None:
        self._most = settings.api_sockets
        self._most_per_client = settings.api_sockets_per_client
        self._taken: Counter[str] = Counter()
        self._count = 0

    @property
    def count(self) -> int:
        """How many places are taken."""
        return self._count

    def take(self, client: Client) -> Place:
        """Return a place. Raises GraphQLError (TOO_MANY_CONNECTIONS) where none is left, or none for this client."""
        if self._count >= self._most:
            raise _full(f"{self._most} live connections are open here, which is all there are. Try again later.")
        if client.is_limited and self._taken[client.key] >= self._most_per_client:
            raise _full(
                f"One client may have {self._most_per_client} live connections. "
                "Put several subscriptions on one WebSocket."
            )
        self._count += 1
        self._taken[client.key] += 1
        return Place(self, client.key)

    def _release(self, key: str) -> None:
        self._count -= 1
        self._taken[key] -= 1
        if self._taken[key] <= 0:
            del self._taken[key]


def _full(message: str) -> GraphQLError:
    return GraphQLError(message, extensions={"code": "TOO_MANY_CONNECTIONS"})
