"""Waiting for several things at once, and for one that is to end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Iterable


async def together(awaitables: Iterable[Awaitable[object]]) -> None:
    """Wait for all; then raise the first error, if there was one."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome


async def cancel(task: asyncio.Task[None]) -> None:
    """Cancel a task and return when it has ended."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
