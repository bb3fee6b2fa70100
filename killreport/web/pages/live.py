"""`/live`: new kills as server-sent events, for the first page of the list."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from starlette.requests import Request
from starlette.responses import Response

from killreport.background import beside
from killreport.door.streams import PlacedStream
from killreport.web.live import Event, LiveFeed
from killreport.web.site import Site

# Keeps proxies from closing a quiet stream, and tells us when a browser is gone.
HEARTBEAT_SECONDS = 15.0
RETRY_MILLISECONDS = 2_000


async def live(request: Request) -> Response:
    """Stream events; `Last-Event-ID` (or `?since=` at first) says what the page has seen. Raises NoPlace."""
    site: Site = request.app.state.site
    since = request.headers.get("last-event-id") or request.query_params.get("since")
    stop: asyncio.Event | None = getattr(request.app.state, "stop", None)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    place = request.app.state.streams.take(request.state.visitor)
    return PlacedStream(place, _stream(site.live, since, stop), headers=headers, media_type="text/event-stream")


async def _stream(feed: LiveFeed, since: str | None, stop: asyncio.Event | None) -> AsyncIterator[str]:
    yield f"retry: {RETRY_MILLISECONDS}\n\n"
    async with feed.browser(since) as browser, _ended_by(stop, browser.end):
        while True:
            try:
                async with asyncio.timeout(HEARTBEAT_SECONDS):
                    event = await browser.next()
            except TimeoutError:
                yield ": still here\n\n"
                continue
            if event is None:
                return
            yield encode(event)


@asynccontextmanager
async def _ended_by(stop: asyncio.Event | None, end: Callable[[], None]) -> AsyncIterator[None]:
    """Call `end` when `stop` is set during the block."""

    async def watch(stop: asyncio.Event) -> None:
        await stop.wait()
        end()

    if stop is None:
        yield
        return
    async with beside(watch(stop), "stop"):
        yield


def encode(event: Event) -> str:
    """Return the event as the protocol writes it; its data is one line."""
    identity = "" if event.event_id is None else f"id: {event.event_id}\n"
    return f"{identity}event: {event.name}\ndata: {event.data}\n\n"
