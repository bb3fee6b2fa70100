"""Which pages of other origins may read the API; none of them can send a cookie along."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from killreport.config import Settings, listed

# How long a browser may remember what a preflight said.
_REMEMBERED_SECONDS = 86_400
_ASKED = ("content-type", "accept", "if-none-match", "x-show-cost", "last-event-id")
_SHOWN = ("etag", "ratelimit", "ratelimit-policy", "retry-after")


def cross_origin(settings: Settings) -> Middleware:
    """Return the middleware that answers preflights and names the allowed origins."""
    return Middleware(
        CORSMiddleware,
        allow_origins=listed(settings.api_allowed_origins),
        allow_methods=("GET", "POST"),
        allow_headers=_ASKED,
        expose_headers=_SHOWN,
        allow_credentials=False,
        max_age=_REMEMBERED_SECONDS,
    )
