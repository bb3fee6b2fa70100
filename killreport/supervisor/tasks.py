"""Waiting for several things at once."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Iterable


async def together(awaitables: Iterable[Awaitable[object]]) -> None:
    """Wait for all; then raise the first error, if there was one."""
    outcomes = await asyncio.gather(*awaitables, return_exceptions=True)
    for outcome in outcomes:
        if isinstance(outcome, BaseException):
            raise outcome
