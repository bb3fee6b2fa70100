"""The ASGI application of the web site."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from killreport.answering import Answering, security_headers
from killreport.config import Settings
from killreport.web.client import open_client
from killreport.web.headers import page_policy
from killreport.web.images import Images
from killreport.web.live import LiveFeed
from killreport.web.pages.errors import ERROR_PAGES, unreadable_request
from killreport.web.pages.home import home
from killreport.web.pages.kill import kill
from killreport.web.pages.live import live
from killreport.web.pages.status import status
from killreport.web.site import Site
from killreport.web.visitors import CountingVisitors, Visitors

MIN_COMPRESSED_BYTES = 1_000
COMPRESSION_LEVEL = 5


def create_app(settings: Settings) -> Answering:
    """Return the site; it serves at once, with the 503 page while the API does not answer."""
    site, visitors = Site(Images(settings.image_url)), Visitors(settings)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with open_client(settings.api_address, visitors.clients.signer) as client:
            site.client = client
            site.live = LiveFeed(client, site.live_data)
            async with site.live.running():
                yield

    app = Answering(
        security_headers(settings.public_url, **page_policy(site.images.policy)),
        unreadable_request,
        lifespan=lifespan,
        routes=[
            Route("/", home),
            Route("/kill/{killmail_id}", kill),
            Route("/live", live),
            Route("/status", status),
            Route("/healthz", healthz),
            Route("/static/{name}", site.assets.serve),
            Route("/favicon.ico", site.assets.serve_favicon),
            Route("/robots.txt", robots),
        ],
        middleware=[
            Middleware(CountingVisitors, visitors=visitors),
            Middleware(GZipMiddleware, minimum_size=MIN_COMPRESSED_BYTES, compresslevel=COMPRESSION_LEVEL),
        ],
        exception_handlers=ERROR_PAGES,
    )
    app.state.site = site
    app.state.streams = visitors.streams
    return app


async def healthz(request: Request) -> Response:
    """Answer 200, in the API's words, where the site can serve: it can when the API can."""
    site: Site = request.app.state.site
    words = await site.client.health()
    if words is not None:
        return PlainTextResponse(words)
    return PlainTextResponse("The API does not answer.", 503)


async def robots(_request: Request) -> Response:
    """Let robots read the pages, not the endless stream."""
    return PlainTextResponse("User-agent: *\nDisallow: /live\n")
