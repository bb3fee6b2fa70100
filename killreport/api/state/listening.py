"""Acting on what is told: heard in the background, and acted on together where much comes at once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from contextlib import aclosing, asynccontextmanager

from killreport.background import beside, keep, wait_or_end


@asynccontextmanager
async def acting_on(
    name: str,
    subscribe: Callable[[], AsyncGenerator[str, None]],
    act: Callable[[], Awaitable[None]],
    *,
    hear: Callable[[str], None] = lambda _payload: None,
    look_seconds: float | None = None,
    pause_seconds: float = 0.0,
) -> AsyncIterator[None]:
    """While the block runs, call `act` once payloads have come, each of which `hear` is told first.

    look_seconds: after which it is called although none came; None: never. pause_seconds: between two calls.
    """
    woken = asyncio.Event()

    async def listen() -> None:
        async with aclosing(subscribe()) as payloads:
            async for payload in payloads:
                hear(payload)
                woken.set()

    async def work() -> None:
        while True:
            await wait_or_end(woken, look_seconds)
            woken.clear()
            await act()
            await asyncio.sleep(pause_seconds)

    async with beside(keep(listen, f"{name}-listen")), beside(keep(work, name)):
        yield
