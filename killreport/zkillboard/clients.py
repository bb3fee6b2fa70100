"""The clients of zKillboard's hosts that a feed and its history need, each with a budget of its own.

What it takes from ESI comes through `killreport.esi`, whose budget all processes share.
"""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from killreport.config import Settings
from killreport.db.database import Database
from killreport.http import HttpClient, Pacer, open_session
from killreport.zkillboard.shared_host import SharedHost

R2Z2 = "r2z2"
REDISQ_PER_SECOND = 1.0


@dataclass(frozen=True)
class ZkillboardClients:
    """One client for each host that has a budget of its own: R2Z2 with its history, the RedisQ host."""

    r2z2: SharedHost
    redisq: HttpClient


@asynccontextmanager
async def open_clients(
    settings: Settings, database: Database, most_per_second: float = math.inf
) -> AsyncIterator[ZkillboardClients]:
    """Lend clients that name the product and its operator; a blank User-Agent is banned by the feed's host.

    most_per_second: below the pace of the feed, for who asks beside it.
    """
    pace = min(settings.feed_requests_per_second, most_per_second)
    async with open_session(settings) as session:
        yield ZkillboardClients(
            r2z2=SharedHost(HttpClient(session, Pacer(pace)), database, R2Z2),
            redisq=HttpClient(session, Pacer(min(settings.feed_requests_per_second, REDISQ_PER_SECOND))),
        )
