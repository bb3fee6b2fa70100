"""`/listen.php`: RedisQ's protocol over the board's live feed, for tools that speak nothing else.

A queue is a name and a number in the memory of this process, forgotten three hours after it was last asked for; a new
one begins with the next killmail. Source: zKillboard/RedisQ README.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from cachetools import LRUCache
from starlette.responses import Response

from killreport.api.context import ApiContext
from killreport.api.rest.endpoint import error_answer, json_answer
from killreport.api.rest.rate_limit import RestRequest
from killreport.clock import monotonic
from killreport.errors import Malformed
from killreport.killmail.shown.package import is_removed, list_packages
from killreport.killmail.stored.published import next_sequence

FORGOTTEN_AFTER_SECONDS = 3 * 3600.0
MAX_QUEUES = 10_000
MAX_NAME = 100
# Answered before a client, or a proxy, gives up after just those ten seconds that RedisQ names.
MAX_WAIT_SECONDS = 9.5
UNSUPPORTED = {
    "filter": "filter is not supported here: leave it out and choose from what comes, or subscribe to "
    "killmailStored(filter: …) under /graphql, or to channels under /websocket/.",
    "esi": "esi is not supported here: every package has the whole killmail.",
}


@dataclass(slots=True)
class _ListenerQueue:
    sequence: int
    asked_at: float
    is_waiting: bool = False


class Listening:
    """The queues of this process."""

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        self._clock = clock
        self._queues: LRUCache[str, _ListenerQueue] = LRUCache(MAX_QUEUES)

    async def answer(self, request: RestRequest) -> Response:
        """Answer the queue's next killmail, or none once the time to wait is over."""
        name = request.given("queueID") or ""
        if not 1 <= len(name) <= MAX_NAME:
            raise Malformed(f"a name of 1 to {MAX_NAME} letters is needed", "queueID")
        seconds = _seconds(request.given("ttw") or "10")
        context = request.context
        queue = await self._queue(name, context)
        if queue.is_waiting:
            response = error_answer(429, "Only one request per queueID at a time")
            response.headers["Retry-After"] = "1"
            return response
        queue.is_waiting = True
        try:
            package = await _next(context, queue, seconds)
        finally:
            queue.is_waiting = False
        return json_answer({"package": package})

    async def _queue(self, name: str, context: ApiContext) -> _ListenerQueue:
        async with context.database.connection() as connection:
            upcoming = await next_sequence(connection)
        now = self._clock()
        queue = self._queues.get(name)
        if queue is None or (now - queue.asked_at > FORGOTTEN_AFTER_SECONDS and not queue.is_waiting):
            queue = _ListenerQueue(upcoming, now)
        queue.asked_at = now
        self._queues[name] = queue
        return queue


async def _next(context: ApiContext, queue: _ListenerQueue, seconds: float) -> dict[str, Any] | None:
    # Subscribed before the first look, so that nothing is stored between the look and the wait.
    news = context.live.subscribe()
    try:
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while True:
                    async with context.database.connection() as connection:
                        found = await list_packages(connection, queue.sequence, 1)
                    if not found:
                        await anext(news)
                        continue
                    queue.sequence += 1
                    if not is_removed(found[0]):
                        return _redisq_package(found[0])
        return None
    finally:
        await news.aclose()


def _redisq_package(package: dict[str, Any]) -> dict[str, Any]:
    return {"killID": package["killmail_id"], "killmail": package["esi"], "zkb": package["zkb"]}


def _seconds(text: str) -> float:
    try:
        return min(MAX_WAIT_SECONDS, max(1.0, float(text)))
    except ValueError:
        raise Malformed("seconds from 1 to 10 are needed", "ttw") from None
