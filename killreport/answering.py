"""What holds for every answer of both services, whoever makes it: the application, a middleware, an error page.

The headers that keep a browser from making more of an answer than it is stand on all of them, a request that cannot be
read in one way only is refused before anybody looks at it, and who has an answer already is not sent it again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, unquote_to_bytes, urlsplit

import structlog
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Match
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from killreport.clock import read_http_date

# Source: OWASP ASVS 5.0, 3.4.3 to 3.4.8 and 3.5.8. What an application sets itself counts before these.
STRICT_HEADERS: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; sandbox"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
_STRICT_TRANSPORT = "max-age=31536000; includeSubDomains"
# Two of them would mean one thing to us and another to a proxy before us.
_SINGLE = (b"host", b"authorization", b"content-type", b"origin")
_GOES_ON = 307

Refusal = Callable[[Request, str], Response]
_log = structlog.get_logger(__name__)


def security_headers(public_url: str | None, **own: str) -> dict[str, str]:
    """Return the headers of every answer. own: what this service has otherwise, with `_` for `-` in their names.

    public_url: where it begins with https, browsers are told never to come without TLS again.
    """
    headers = {**STRICT_HEADERS, **{name.replace("_", "-"): value for name, value in own.items()}}
    if public_url is not None and urlsplit(public_url).scheme == "https":
        headers["Strict-Transport-Security"] = _STRICT_TRANSPORT
    return headers


class Answering(Starlette):
    """An application with the headers on every answer, also on those that Starlette itself makes of an exception.

    refusal: makes the answer to a request that cannot be read, of a sentence.
    """

    def __init__(self, headers: Mapping[str, str], refusal: Refusal, **others: Any) -> None:
        super().__init__(**others)
        # Starlette would redirect to whatever host the request named; `without_slash` names none.
        self.router.redirect_slashes = False
        self._headers = dict(headers)
        self._refusal = refusal

    def build_middleware_stack(self) -> ASGIApp:
        """Return what answers requests, with the headers around everything."""
        return _Headers(_Readable(super().build_middleware_stack(), self._refusal), self._headers)


class _Headers:
    def __init__(self, app: ASGIApp, headers: Mapping[str, str]) -> None:
        self._app = app
        self._headers = headers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_socket, is_begun = scope["type"] == "websocket", False

        async def deny(status: int) -> None:
            await send_with_headers({"type": "websocket.http.response.start", "status": status, "headers": []})
            await send({"type": "websocket.http.response.body", "body": b""})

        async def send_with_headers(message: Message) -> None:
            nonlocal is_begun
            if message["type"] == "websocket.close" and not is_begun:
                # The server would make an answer of its own of it.
                await deny(403)
                return
            is_begun = True
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                headers = MutableHeaders(scope=message)
                for name, value in self._headers.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await self._app(scope, receive, send_with_headers)
        except Exception:
            if not is_socket or is_begun:
                raise
            _log.exception("websocket_failed", path=scope["path"])
            await deny(500)


class _Readable:
    def __init__(self, app: ASGIApp, refusal: Refusal) -> None:
        self._app = app
        self._refusal = refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        problem = unreadable(scope) if scope["type"] in ("http", "websocket") else None
        if problem is None:
            await self._app(scope, receive, send)
            return
        # A refused upgrade is answered like a request.
        request = Request({**scope, "type": "http", "method": scope.get("method", "GET")})
        response = self._refusal(request, problem)
        if scope["type"] == "http":
            await response(scope, receive, send)
            return
        start = {"type": "websocket.http.response.start", "status": 400, "headers": response.raw_headers}
        await send(start)
        await send({"type": "websocket.http.response.body", "body": bytes(response.body)})


def unreadable(scope: Scope) -> str | None:
    """Return what is wrong with the address or the headers of a request, None where each says one thing."""
    for part in (scope.get("raw_path", b""), scope.get("query_string", b"")):
        if b"%" in part or not part.isascii():
            try:
                text = unquote_to_bytes(part).decode()
            except UnicodeDecodeError:
                return "The address is not UTF-8."
            if "\0" in text:
                return "The address has a NUL (%00) in it, which no text here can have."
    names = [name for name, _ in scope["headers"]]
    for name in _SINGLE:
        if names.count(name) > 1:
            return f"The header {name.decode().title()} came more than once."
    return None


def without_slash(request: Request) -> Response | None:
    """Return a redirect to the same address without its last slash, None where nothing answers there either."""
    asked = request.scope["path"]
    path = "/" + asked.strip("/")
    if path in (asked, "/"):
        return None
    if all(route.matches({**request.scope, "path": path})[0] is Match.NONE for route in request.app.routes):
        return None
    query = f"?{request.url.query}" if request.url.query else ""
    return RedirectResponse(quote(path) + query, _GOES_ON)


def content_tag(body: bytes) -> str:
    """Return what names these contents."""
    return hashlib.sha256(body).hexdigest()[:32]


def tagged(request: Request, response: Response, tag: str | None = None) -> Response:
    """Return the response with the tag of its contents, or 304 where the caller has just these.

    One who knows no tag, and asks by time, has what was not modified since then. tag: where it is known; it may end in
    the name of a coding after a `-`, since a strong tag names the bytes that are sent.
    """
    if tag is None:
        tag = content_tag(bytes(response.body))
    response.raw_headers.append((b"etag", f'"{tag}"'.encode()))
    if not _is_known(request, response, tag):
        return response
    kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    return Response(None, 304, kept)


def _is_known(request: Request, response: Response, tag: str) -> bool:
    asked = request.headers.get("if-none-match")
    if asked is None:
        return _is_unmodified(request.headers.get("if-modified-since"), response.headers.get("last-modified"))
    return asked.strip() == "*" or _contents(tag) in map(_contents, asked.split(","))


def _contents(tag: str) -> str:
    """Return the part that names contents, whatever their coding; a proxy may have made a weak tag of ours."""
    return tag.strip().removeprefix("W/").strip('"').partition("-")[0]


def _is_unmodified(since: str | None, modified: str | None) -> bool:
    known = None if since is None else read_http_date(since)
    last = None if modified is None or known is None else read_http_date(modified)
    return known is not None and last is not None and last <= known
