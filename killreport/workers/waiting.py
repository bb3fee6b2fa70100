"""Waiting that can be told to end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar

_RESULT = TypeVar("_RESULT")


async def wait_or_end(ended: asyncio.Event, seconds: float | None) -> bool:
    """Wait so long (None: for ever), or until the event is set; return whether it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()
    return ended.is_set()


@asynccontextmanager
async def background(work: Coroutine[Any, Any, _RESULT]) -> AsyncIterator[asyncio.Task[_RESULT]]:
    """Run the work beside the block, and cancel what is left of it at the block's end."""
    task = asyncio.create_task(work)
    try:
        yield task
    finally:
        task.cancel()
        # Waited for, not awaited: what it failed with belongs to whoever reads the task's result.
        await asyncio.wait([task])


@asynccontextmanager
async def either(first: asyncio.Event, second: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Lend an event that is set as soon as one of the two is."""
    both = asyncio.Event()

    async def watch(event: asyncio.Event) -> None:
        await event.wait()
        both.set()

    async with background(watch(first)), background(watch(second)):
        yield both
