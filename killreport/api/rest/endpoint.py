"""An address of the REST API: what answers there, and how the OpenAPI document describes it."""

from __future__ import annotations

import asyncio
import hashlib
import math
import secrets
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
import structlog
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from killreport.api.context import ApiContext
from killreport.api.guard.gate import SMALLEST_COST, RateLimited
from killreport.api.masking import sentence_of
from killreport.api.rest.toll import Toll, Visit
from killreport.db.database import is_away
from killreport.door.places import NoPlace
from killreport.errors import KillreportError, Malformed, NotFound, Refused, Transient, Unavailable
from killreport.ids import read_whole

Handler = Callable[[Request], Awaitable[Response]]

NO_STORE = "no-store"
_STATUS: tuple[tuple[type[KillreportError], int], ...] = (
    (Malformed, 400), (Refused, 400), (NotFound, 404), (Transient, 503), (Unavailable, 503),
)  # fmt: skip

_log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something an address takes. place: `path` or `query`."""

    name: str
    place: str
    help: str
    schema: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address. path: Starlette's template. answer: the JSON schema of a success, by its media type.

    misses: what a 404 means here. error_status: overrides the status of refusals, for protocols that have their own.
    is_waiting: it waits more than it works, and is counted with what is live.
    """

    path: str
    name: str
    summary: str
    handler: Handler
    answer: Mapping[str, Mapping[str, Any]]
    parameters: tuple[Parameter, ...] = ()
    misses: str = ""
    error_status: int | None = None
    is_waiting: bool = False
    group: str = field(default="zKillboard")

    def route(self, toll: Toll) -> Route:
        """Return the route, which takes its toll and answers errors in JSON."""

        async def answer(request: Request) -> Response:
            visit = request.state.visit = Visit(toll, request)
            response = await self._answer(request, visit)
            response.headers.update(toll.guard.rate_headers(visit.grant))
            return response

        return Route(self.path, answer, methods=["GET"], name=self.name)

    async def _served(self, request: Request, visit: Visit) -> Response:
        await visit.pay(SMALLEST_COST)
        if self.is_waiting:
            with visit.stream():
                return await self.handler(request)
        toll = visit.toll
        with toll.place(visit.client):
            async with toll.turn(toll.seconds):
                try:
                    async with asyncio.timeout(toll.seconds) as limit:
                        return await self.handler(request)
                except TimeoutError:
                    if not limit.expired():
                        raise
        raise Transient(f"This did not finish in {toll.seconds:g} s. Ask for less at once.")

    async def _answer(self, request: Request, visit: Visit) -> Response:
        try:
            return await self._served(request, visit)
        except RateLimited as error:
            visit.grant = error.grant
            return error_answer(429, error.message)
        except KillreportError as error:
            status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
            if self.error_status is not None and status == 400:
                status = self.error_status
            return error_answer(
                error.status if isinstance(error, NoPlace) else status, sentence_of(error), _later(error)
            )
        except Exception as error:
            if is_away(error):
                _log.warning("api_database_lost", reason=repr(error))
                return error_answer(503, "The database does not answer; try again shortly.")
            error_id = secrets.token_hex(4)
            _log.exception("api_rest_failed", error_id=error_id, path=request.url.path)
            return error_answer(500, f"Something failed here; the log has it as {error_id}.")


def context_of(request: Request) -> ApiContext:
    """Return what the application has open."""
    context: ApiContext = request.app.state.context
    return context


def json_answer(found: Any, *, cache: str = NO_STORE, pretty: bool = False) -> Response:
    """Return a value as JSON."""
    body = msgspec.json.encode(found)
    return _json(msgspec.json.format(body, indent=4) if pretty else body, 200, cache)


def error_answer(status: int, sentence: str, headers: Mapping[str, str] | None = None) -> Response:
    """Return an error as zKillboard writes it."""
    response = _json(msgspec.json.encode({"error": sentence}), status, NO_STORE)
    response.headers.update(headers or {})
    return response


def _later(error: KillreportError) -> dict[str, str]:
    """Return the header that says when to come again."""
    seconds = error.retry_after if isinstance(error, Transient) else None
    return {} if seconds is None else {"Retry-After": f"{math.ceil(seconds)}"}


def _json(body: bytes, status: int, cache: str) -> Response:
    return Response(body, status, {"Cache-Control": cache}, "application/json")


def tagged(request: Request, response: Response) -> Response:
    """Return the response with the tag of its contents, or 304 where the caller has just these."""
    tag = f'"{hashlib.sha256(bytes(response.body)).hexdigest()[:32]}"'
    response.headers["ETag"] = tag
    if not _has(request, tag):
        return response
    kept = {
        name: value for name, value in response.headers.items() if name in ("etag", "cache-control", "last-modified")
    }
    return Response(status_code=304, headers=kept)


def _has(request: Request, tag: str) -> bool:
    asked = request.headers.get("if-none-match", "")
    # A proxy or the compression may have made a weak tag of ours.
    return asked.strip() == "*" or tag in (part.strip().removeprefix("W/") for part in asked.split(","))


def whole_number(text: str, name: str, least: int, most: int) -> int:
    """Return the number a caller wrote. Raises Malformed with a sentence."""
    number = read_whole(text, least, most)
    if number is None:
        raise Malformed(f"a whole number from {least} to {most} is needed", name)
    return number
