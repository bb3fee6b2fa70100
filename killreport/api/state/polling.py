"""Looking at something every so often on behalf of everybody who follows it, and at nothing while nobody does."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import Awaitable, Callable
from typing import Generic, TypeVar

import structlog

from killreport.background import Errands, end, keep

T = TypeVar("T")

_log = structlog.get_logger(__name__)


class Poll(Generic[T]):
    """The latest state of something. `look` returns it; a state that equals the one before is no news."""

    def __init__(self, name: str, look: Callable[[], Awaitable[T]], seconds: float) -> None:
        self._name = name
        self._look = look
        self._seconds = seconds
        # Weak, because a connection may vanish between subscribing and reading, and then nobody unsubscribes.
        self._followers: weakref.WeakSet[Follower[T]] = weakref.WeakSet()
        self._task: asyncio.Task[None] | None = None
        self._errands = Errands()
        self.latest: tuple[T] | None = None
        self.changed = asyncio.Event()

    def follow(self) -> Follower[T]:
        """Return a follower, whose first state is the one that is looked up now, or was just before."""
        follower = Follower(self)
        self._followers.add(follower)
        if self._task is None:
            name = f"poll-{self._name}"
            self.latest = None  # of long ago, when somebody last followed
            self._task = self._errands.run(keep(self._keep_looking, name, may_end=True), name)
        return follower

    def forget(self, follower: Follower[T]) -> None:
        """Look no more on behalf of the follower."""
        self._followers.discard(follower)

    async def close(self) -> None:
        """Stop looking, whoever follows."""
        if self._task is not None:
            await end(self._task)

    async def _keep_looking(self) -> None:
        while self._followers:
            try:
                state = await self._look()
            except Exception:
                # Whatever it was, the next look may find what there is to see.
                _log.exception("poll_failed", poll=self._name)
            else:
                if self.latest is None or self.latest[0] != state:
                    self.latest = (state,)
                    self.changed.set()
                    self.changed = asyncio.Event()
            await asyncio.sleep(self._seconds)
        self._task = None


class Follower(Generic[T]):
    """An async iterator of the states of a poll. One that is slow gets the latest state, and misses those before."""

    def __init__(self, poll: Poll[T]) -> None:
        self._poll = poll
        self._seen: tuple[T] | None = None

    def __aiter__(self) -> Follower[T]:
        return self

    async def __anext__(self) -> T:
        """Return the next state that was not returned yet."""
        while True:
            changed = self._poll.changed
            latest = self._poll.latest
            if latest is not None and latest is not self._seen:
                self._seen = latest
                return latest[0]
            await changed.wait()

    async def aclose(self) -> None:
        """Follow no more."""
        self._poll.forget(self)
