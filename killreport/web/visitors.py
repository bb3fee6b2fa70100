"""Who visits the site, and how much: counted at its own door, and told to the API, which counts what is asked there."""

from __future__ import annotations

from starlette.requests import HTTPConnection, Request
from starlette.types import ASGIApp, Receive, Scope, Send

from killreport.config import Settings
from killreport.coordination.rate_limit import MemoryBuckets
from killreport.door.client import Client, Clients
from killreport.door.concurrency import ConcurrencyLimit
from killreport.errors import Transient
from killreport.web.pages.errors import too_many

# What the site itself works on a page, beside what the API says it costs there.
PAGE_COST = 5
FILE_COST = 1
# Who looks after the fleet asks here, and must be answered while strangers are not.
_FREE = ("/healthz",)


class Visitors:
    """Everybody who visits one process of the site."""

    def __init__(self, settings: Settings) -> None:
        self.clients = Clients(settings)
        self.streams = ConcurrencyLimit(settings.web_streams, settings.web_streams_per_client, "live pages")
        burst = settings.api_rate_burst
        self._buckets = MemoryBuckets(burst, settings.api_rate_per_second) if burst else None

    def visitor(self, connection: HTTPConnection) -> Client:
        """Return who asks for a page."""
        return self.clients.client(connection)

    async def count(self, path: str, client: Client) -> None:
        """Have the visitor pay for a page. Raises Transient where it has asked for too many."""
        if self._buckets is None or not client.is_limited or path in _FREE:
            return
        grant = await self._buckets.take(client.key, FILE_COST if path.startswith("/static/") else PAGE_COST)
        if not grant.is_allowed:
            raise Transient("Rate limit exceeded: you asked for too many pages.", grant.retry_after)


class CountingVisitors:
    """ASGI middleware that turns away who asks for too much, before anything is made."""

    def __init__(self, app: ASGIApp, visitors: Visitors) -> None:
        self._app = app
        self._visitors = visitors

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on, or answer 429."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        try:
            client = self._visitors.visitor(request)
            await self._visitors.count(scope["path"], client)
        except Transient as error:
            response = await too_many(request, error)
            await response(scope, receive, send)
            return
        scope.setdefault("state", {})["visitor"] = client
        await self._app(scope, receive, send)
