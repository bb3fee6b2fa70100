"""The clients of zKillboard's hosts that a feed and its history need, each with a budget of its own.

What it takes from ESI comes through `killreport.esi`, whose budget all processes share.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from killreport.config import Settings
from killreport.http import HttpClient, Pacer, open_session

REDISQ_PER_SECOND = 1.0


@dataclass(frozen=True)
class Clients:
    """One client for each host that has a budget of its own: R2Z2 with its history, the RedisQ host."""

    r2z2: HttpClient
    redisq: HttpClient


@asynccontextmanager
async def open_clients(settings: Settings) -> AsyncIterator[Clients]:
    """Lend clients that name the product and its operator; a blank User-Agent is banned by the feed's host."""
    async with open_session(settings) as session:
        yield Clients(
            r2z2=HttpClient(session, Pacer(settings.feed_requests_per_second)),
            redisq=HttpClient(session, Pacer(min(settings.feed_requests_per_second, REDISQ_PER_SECOND))),
        )
