"""News of characters, corporations and alliances: heard once a process, and what it keeps of them is forgotten.

The first is acted on at once. What comes within the next half second is acted on together: to look through all kept
answers takes some milliseconds, and workers that catch up store fifty entities a second.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager

from killreport.background import beside, keep
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
        self._woken = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Listen in the background while the block runs."""
        async with beside(keep(self._listen, "entity-listen")), beside(keep(self._act, "entity-news")):
            yield

    async def _listen(self) -> None:
        async with aclosing(self._events.subscribe(ENTITY_CHANNEL)) as payloads:
            async for payload in payloads:
                ids = read_ids(payload)
                if ids is None:
                    self._is_any = True
                else:
                    self._changed |= ids
                self._woken.set()

    async def _act(self) -> None:
        while True:
            await self._woken.wait()
            self._woken.clear()
            ids = None if self._is_any else frozenset(self._changed)
            self._changed.clear()
            self._is_any = False
            self._forget(ids)
            await asyncio.sleep(PAUSE_SECONDS)
