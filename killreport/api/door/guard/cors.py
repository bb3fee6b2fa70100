"""Which pages of other origins may read the API; none of them can send a cookie along."""

from __future__ import annotations

from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware

from killreport.config import Settings, listed

# How long a browser may remember what a preflight said.
_REMEMBERED_SECONDS = 86_400
# HEAD needs no preflight by itself, and yet one with a header of its own does.
_METHODS = ("GET", "HEAD", "POST")
# Without cookies a header proves nothing that the page did not know itself. Libraries set headers of their own
# (`apollo-require-preflight`, `traceparent`), and one that is refused is a page that reads nothing.
_ASKED = ("*",)
# By name for who reads this; the star is for what is not named, and counts where no cookie is sent.
_SHOWN = (
    "allow",
    "content-disposition",
    "etag",
    "link",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "retry-after",
    "x-next-after",
    "*",
)


def cross_origin(settings: Settings) -> Middleware:
    """Return the middleware that answers preflights and names the allowed origins, on refusals and failures too."""
    return Middleware(
        CORSMiddleware,
        allow_origins=listed(settings.api_allowed_origins),
        allow_methods=_METHODS,
        allow_headers=_ASKED,
        expose_headers=_SHOWN,
        allow_credentials=False,
        max_age=_REMEMBERED_SECONDS,
    )


def refusal_headers(settings: Settings, origin: str | None) -> dict[str, str]:
    """Return what stands on an answer that no application made, such as that there is no room.

    origin: of the page that asks, None where its head was not read; that may be the reason of the refusal.
    """
    allowed = listed(settings.api_allowed_origins)
    if "*" in allowed:
        return {"access-control-allow-origin": "*", "access-control-expose-headers": ", ".join(_SHOWN)}
    if origin is None or origin not in allowed:
        return {"vary": "Origin"}
    shown = {"access-control-allow-origin": origin, "access-control-expose-headers": ", ".join(_SHOWN)}
    return {**shown, "vary": "Origin"}
