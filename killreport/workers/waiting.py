"""Waiting that can be told to end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from killreport.background import beside


@asynccontextmanager
async def either(first: asyncio.Event, second: asyncio.Event) -> AsyncIterator[asyncio.Event]:
    """Lend an event that is set as soon as one of the two is."""
    both = asyncio.Event()

    async def watch(event: asyncio.Event) -> None:
        await event.wait()
        both.set()

    async with beside(watch(first)), beside(watch(second)):
        yield both
