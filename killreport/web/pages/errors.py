"""Pages for what went wrong: each says what happened and where to go on."""

from __future__ import annotations

import secrets

import structlog
from starlette.requests import Request
from starlette.responses import Response

from killreport.errors import Refused, Unavailable
from killreport.web.site import Site

RETRY_SECONDS = 10
_log = structlog.get_logger(__name__)


def not_found(site: Site, sentence: str) -> Response:
    """Return the page for an address that leads nowhere."""
    return site.page("error.html", 404, title="Not found", sentence=sentence, retry_seconds=None)


async def unknown_address(request: Request, _error: Exception) -> Response:
    """Answer for an address no page has."""
    return not_found(request.app.state.site, "There is no page at this address.")


async def api_down(request: Request, error: Exception) -> Response:
    """Answer while the API does not: 503, and the page asks again by itself."""
    assert isinstance(error, Unavailable)
    _log.warning("page_unavailable", path=request.url.path, reason=str(error))
    site: Site = request.app.state.site
    return site.page(
        "error.html",
        503,
        {"Retry-After": str(RETRY_SECONDS)},
        title="Back in a moment",
        sentence="The kill database does not answer right now. Nothing is lost; this page tries again by itself.",
        retry_seconds=RETRY_SECONDS,
    )


async def bad_request(request: Request, error: Exception) -> Response:
    """Answer for an address whose query nobody gave out, such as an edited cursor."""
    assert isinstance(error, Refused)
    site: Site = request.app.state.site
    return site.page(
        "error.html", 400, title="That did not work", sentence="This link is damaged or too old.", retry_seconds=None
    )


async def failed(request: Request, error: Exception) -> Response:
    """Answer for a mistake of ours: 500 with an id that the log has too."""
    error_id = secrets.token_hex(4)
    _log.error("page_failed", error_id=error_id, path=request.url.path, exc_info=error)
    site: Site = request.app.state.site
    sentence = f"Something failed here; the log has it as {error_id}."
    return site.page("error.html", 500, title="That did not work", sentence=sentence, retry_seconds=None)
