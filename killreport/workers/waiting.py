"""Waiting that can be told to end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from killreport.background import beside


async def wait_or_end(ended: asyncio.Event, seconds: float | None) -> bool:
    """Wait so long (None: for ever), or until the event is set; return whether it is."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await ended.wait()
    return ended.is_set()


@asynccontextmanager
async def either(first: asyncio.Event, second: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Lend an event that is set as soon as one of the two is."""
    both = asyncio.Event()

    async def watch(event: asyncio.Event) -> None:
        await event.wait()
        both.set()

    async with beside(watch(first)), beside(watch(second)):
        yield both
