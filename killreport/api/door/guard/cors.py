"""Which pages of other origins may read the API; none of them can send a cookie along."""

from __future__ import annotations

from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from killreport.config import Settings, listed

# How long a browser may remember what a preflight said.
_REMEMBERED_SECONDS = 86_400
# HEAD needs no preflight by itself, and yet one with a header of its own does.
_METHODS = ("GET", "HEAD", "POST")
# Without cookies a header proves nothing that the page did not know itself. Libraries set headers of their own
# (`apollo-require-preflight`, `traceparent`), and one that is refused is a page that reads nothing.
_ASKED = ("*",)
# By name for who reads this; the star is for what is not named, and counts where no cookie is sent.
_SHOWN = "allow, content-disposition, etag, link, location, ratelimit, ratelimit-policy, retry-after, x-next-after, *"


class CrossOrigin:
    """Answers preflights, and tells which headers stand on the answers to a page, refusals and failures too."""

    def __init__(self, settings: Settings) -> None:
        self._allowed = frozenset(listed(settings.api_allowed_origins))
        self._preflights = CORSMiddleware(
            _nothing,
            allow_origins=self._allowed,
            allow_methods=_METHODS,
            allow_headers=_ASKED,
            allow_credentials=False,
            max_age=_REMEMBERED_SECONDS,
        )

    @property
    def depends(self) -> bool:
        """Whether the headers depend on who asks."""
        return "*" not in self._allowed

    def headers(self, origin: str | None) -> dict[str, str]:
        """Return the headers for a page of this origin, None for who names none; `Vary` where it depends."""
        if not self.depends:
            return {"access-control-allow-origin": "*", "access-control-expose-headers": _SHOWN}
        if origin is None or origin not in self._allowed:
            return {"vary": "Origin"}
        return {"access-control-allow-origin": origin, "access-control-expose-headers": _SHOWN, "vary": "Origin"}

    def preflight(self, request: Request) -> Response | None:
        """Return what a browser is told that asks whether its page may ask; None for any other request."""
        headers = request.headers
        if request.method == "OPTIONS" and "origin" in headers and "access-control-request-method" in headers:
            return self._preflights.preflight_response(headers)
        return None


async def _nothing(_scope: Scope, _receive: Receive, _send: Send) -> None:
    """Stand where the middleware has its application, of which it is asked nothing."""
