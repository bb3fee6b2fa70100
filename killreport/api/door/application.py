"""The API as one ASGI application: over HTTP nothing is between the server and the function that answers an address.

What a WebSocket needs, and the lifespan, are Starlette's.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.exceptions import HTTPException
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from killreport.answering import Answering, security_headers, unreadable
from killreport.api.door.error_answers import answer_to, unreadable_request
from killreport.api.door.guard.cors import CrossOrigin
from killreport.config import Settings

MIN_COMPRESSED_BYTES = 2_000
COMPRESSION_LEVEL = 4

Endpoint = Callable[[Request], Awaitable[Response]]
_Headers = list[tuple[bytes, bytes]]


class Application(Answering):
    """Answers over HTTP by itself. Its routes' endpoints are coroutine functions of a request."""

    def __init__(self, settings: Settings, **others: Any) -> None:
        headers = security_headers(settings.public_url)
        super().__init__(headers, unreadable_request, **others)
        self._cross_origin = CrossOrigin(settings)
        self.state.refusal_headers = self._cross_origin.headers
        if not self._cross_origin.depends:
            headers |= self._cross_origin.headers(None)
        self._standing = _encoded(headers)
        # Endpoints by path and method, of the addresses that have no parameters in them.
        self._fixed: dict[tuple[str, str], Endpoint] = {}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, one WebSocket, or the lifespan."""
        if scope["type"] != "http":
            await super().__call__(scope, receive, send)
            return
        scope["app"] = self
        request = Request(scope, receive, send)
        try:
            response = await self._answer(request)
        except Exception as error:
            response = answer_to(request, error)
        self._complete(request, response)
        await _coded(request, response)(scope, receive, send)

    async def _answer(self, request: Request) -> Response:
        preflight = self._cross_origin.preflight(request)
        if preflight is not None:
            return preflight
        problem = unreadable(request.scope)
        if problem is not None:
            return unreadable_request(request, problem)
        return await self._endpoint(request.scope)(request)

    def _endpoint(self, scope: Scope) -> Endpoint:
        """Return what answers at the address. Raises HTTPException where nothing does, or not to this method."""
        if not self._fixed:
            self._fixed = _fixed_endpoints(self.routes)
        found = self._fixed.get((scope["path"], scope["method"]))
        if found is not None:
            return found
        others = None
        for route in self.routes:
            match, parts = route.matches(scope)
            if isinstance(route, Route) and match is Match.FULL:
                scope.update(parts)
                endpoint: Endpoint = route.endpoint
                return endpoint
            if isinstance(route, Route) and match is Match.PARTIAL and others is None:
                others = route.methods
        if others is None:
            raise HTTPException(404)
        raise HTTPException(405, headers={"Allow": ", ".join(sorted(others))})

    def _complete(self, request: Request, response: Response) -> None:
        """Put on the answer what stands on every one; what it has itself counts before."""
        headers = response.raw_headers
        names = {name for name, _ in headers}
        headers += [header for header in self._standing if header[0] not in names]
        if self._cross_origin.depends:
            own = self._cross_origin.headers(request.headers.get("origin"))
            response.headers.add_vary_header(own.pop("vary"))
            headers += _encoded(own)


def _fixed_endpoints(routes: list[Any]) -> dict[tuple[str, str], Endpoint]:
    found: dict[tuple[str, str], Endpoint] = {}
    for route in routes:
        if isinstance(route, Route) and "{" not in route.path:
            for method in route.methods or ():
                found.setdefault((route.path, method), route.endpoint)
    return found


def _coded(request: Request, response: Response) -> ASGIApp:
    """Return what sends the response, in the coding that whoever asks likes where that is worth the work."""
    is_small = not isinstance(response, StreamingResponse) and len(response.body) < MIN_COMPRESSED_BYTES
    if is_small or any(name == b"content-encoding" for name, _ in response.raw_headers):
        return response
    if "gzip" in request.headers.get("accept-encoding", ""):
        return GZipMiddleware(response, minimum_size=MIN_COMPRESSED_BYTES, compresslevel=COMPRESSION_LEVEL)
    response.headers.add_vary_header("Accept-Encoding")
    return response


def _encoded(headers: dict[str, str]) -> _Headers:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
