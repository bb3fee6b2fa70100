"""News of characters, corporations and alliances: heard once a process, and what it keeps of them is forgotten.

The first is acted on at once. What comes within the next half second is acted on together: to look through all kept
answers takes some milliseconds, and workers that catch up store fifty entities a second.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from killreport.api.state.listening import acting_on
from killreport.coordination.entity_events import read_ids
from killreport.coordination.events import ENTITY_CHANNEL, Events

PAUSE_SECONDS = 0.5

Forget = Callable[[frozenset[int] | None], None]


class EntityNews:
    """Listens, and calls `forget` with the ids of entities that changed; with None where any may have."""

    def __init__(self, events: Events, forget: Forget) -> None:
        self._events = events
        self._forget = forget
        self._changed: set[int] = set()
        self._is_any = False

    def running(self) -> AbstractAsyncContextManager[None]:
        """Listen in the background while the block runs."""
        return acting_on(
            "entity-news",
            lambda: self._events.subscribe(ENTITY_CHANNEL),
            self._act,
            hear=self._hear,
            pause_seconds=PAUSE_SECONDS,
        )

    def _hear(self, payload: str) -> None:
        ids = read_ids(payload)
        if ids is None:
            self._is_any = True
        else:
            self._changed |= ids

    async def _act(self) -> None:
        ids = None if self._is_any else frozenset(self._changed)
        self._changed.clear()
        self._is_any = False
        self._forget(ids)
