"""Pages for what went wrong: each says what happened and where to go on."""

from __future__ import annotations

import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from killreport.answering import without_slash
from killreport.door.concurrency import LimitReached
from killreport.errors import Refused, Transient, Unavailable
from killreport.web.site import Site

RETRY_SECONDS = 10
_log = structlog.get_logger(__name__)


def not_found(site: Site, sentence: str) -> Response:
    """Return the page for an address that leads nowhere."""
    return site.page("error.html", 404, title="Not found", sentence=sentence, retry_seconds=None)


def unreadable_request(request: Request, sentence: str) -> Response:
    """Return the page for a request that cannot be read."""
    return damaged(request.scope["app"].state.site, sentence)


def damaged(site: Site, sentence: str) -> Response:
    """Return the page for a mistake of whoever asks."""
    return site.page("error.html", 400, title="That did not work", sentence=sentence, retry_seconds=None)


async def unknown_address(request: Request, _error: Exception) -> Response:
    """Answer for an address no page has, or has without the slash at its end."""
    return without_slash(request) or not_found(request.app.state.site, "There is no page at this address.")


async def refused(request: Request, error: Exception) -> Response:
    """Answer for a request that no page takes, such as a method nobody reads pages with."""
    assert isinstance(error, HTTPException)
    site: Site = request.app.state.site
    sentence = f"Pages are read with {(error.headers or {}).get('Allow', 'GET')}."
    return site.page(
        "error.html",
        error.status_code,
        dict(error.headers or {}),
        title="That did not work",
        sentence=sentence,
        retry_seconds=None,
    )


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


async def too_many(request: Request, error: Exception) -> Response:
    """Answer for who asks for more than one visitor may, or where there is no room; the page tries again by itself."""
    assert isinstance(error, Transient)
    seconds = max(1, math.ceil(error.retry_after or RETRY_SECONDS))
    status = error.status if isinstance(error, LimitReached) else 429
    site: Site = request.app.state.site
    sentence = "You asked for a lot at once. This page tries again by itself."
    return site.page(
        "error.html",
        status,
        {"Retry-After": str(seconds)},
        title="One moment",
        sentence=sentence,
        retry_seconds=seconds,
    )


async def bad_request(request: Request, error: Exception) -> Response:
    """Answer for an address whose query nobody gave out, such as an edited cursor."""
    assert isinstance(error, Refused)
    return damaged(request.app.state.site, "This link is damaged or too old.")


async def failed(request: Request, error: Exception) -> Response:
    """Answer for a mistake of ours: 500 with an id that the log has too."""
    error_id = secrets.token_hex(4)
    _log.error("page_failed", error_id=error_id, path=request.url.path, exc_info=error)
    site: Site = request.app.state.site
    sentence = f"Something failed here; the log has it as {error_id}."
    return site.page("error.html", 500, title="That did not work", sentence=sentence, retry_seconds=None)


ERROR_PAGES: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    404: unknown_address,
    HTTPException: refused,
    Unavailable: api_down,
    Transient: too_many,
    Refused: bad_request,
    Exception: failed,
}
