"""How ESI answers, whatever it answers: versions, caching, both families of limits, errors.

A part (`esi_entities` and its siblings) lists its routes with the age of their cache and their rate limit; the rest
of what a client sees comes from here. Source: esi-docs `services/esi`, and ESI's OpenAPI document of 2026-08-18.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime
from functools import lru_cache
from typing import Any

import msgspec
from aiohttp import web

from killreport.clock import read_http_date
from killreport.decoding import decode_json
from killreport.errors import Malformed
from killreport.ids import read_whole
from killreport.sim.access.limits import ErrorLimit, TokenBuckets
from killreport.sim.answers import ErrorAnswer, error_answer, etag_of, json_answer, resolved
from killreport.sim.simulator import Simulator

OLDEST_DATE = date(2020, 1, 1)
# Where a request carries the failure it shall get instead of its answer.
FAILURE = web.RequestKey("failure", web.Response)
# These are told by the limits themselves, or free of them.
_UNCOUNTED = frozenset({420, 429})
# The API's day begins when the downtime does.
_DAY_STARTS = timedelta(hours=11)
_LEGACY_PREFIX = r"/{version:latest|legacy|dev|v\d{1,2}}"
_TOO_MANY_ERRORS = (
    "This software has exceeded the error limit for ESI. If you are a user, please contact the maintainer of this "
    "software. If you are a developer/maintainer, please make a greater effort in the future to receive valid "
    "responses."
)


@dataclass(frozen=True)
class Bucket:
    """A group of routes that share a rate limit: tokens in 15 minutes."""

    group: str
    tokens: int


@dataclass(frozen=True)
class Call:
    """One request, as a route sees it. compatibility_date: the shape the client wants."""

    request: web.Request
    compatibility_date: date

    def number(self, name: str) -> int:
        """Return an id out of the path."""
        return int(self.request.match_info[name])

    def page_of(self, rows: Sequence[Any], size: int) -> Paged:
        """Return the page asked for of these rows, the first without one. Raises ErrorAnswer where there is none."""
        page, pages = read_whole(self.request.query.get("page", "1"), 1), max(1, -(-len(rows) // size))
        if page is None:
            raise ErrorAnswer(400, "page must be a positive number")
        if page > pages:
            raise ErrorAnswer(404, "Requested page does not exist!")
        return Paged(rows[(page - 1) * size : page * size], pages)

    async def body(self, kind: Any) -> Any:
        """Return the body, read as this type. Raises ErrorAnswer for anything else."""
        try:
            return decode_json(await self.request.read(), kind)
        except Malformed as error:
            raise ErrorAnswer(400, f"Failed to parse the request body: {error}") from None


@dataclass(frozen=True)
class Paged:
    """A page of a list, and of how many."""

    body: Any
    pages: int


Answer = Callable[[Call], Any]
"""Returns the body, or what is awaited for it; raises ErrorAnswer."""


@dataclass(frozen=True)
class Route:
    """One operation. cache_seconds: how long its answers are kept; a path's ids are digits."""

    method: str
    path: str
    answer: Answer
    cache_seconds: int
    bucket: Bucket | None = None


class Esi:
    """Serves routes as ESI would."""

    def __init__(self, simulator: Simulator, routes: list[Route]) -> None:
        self._simulator = simulator
        self._routes = routes
        self._buckets = TokenBuckets(simulator.now)
        self._errors = ErrorLimit(simulator.now)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes, each with and without the slash at its end and the old version before it."""
        return [
            web.route(route.method, f"{prefix}{route.path}{end}", self._handler(route))
            for route in self._routes
            for prefix in ("", _LEGACY_PREFIX)
            for end in ("", "/")
        ]

    def _handler(self, route: Route) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handle(request: web.Request) -> web.Response:
            caller = request.remote or ""
            refusal = self._refusal(route, caller)
            if refusal is not None:
                return refusal
            answer = request[FAILURE] if FAILURE in request else await self._answer(route, request)
            self._add_limits(answer, route, caller)
            return answer

        return handle

    def _refusal(self, route: Route, caller: str) -> web.Response | None:
        if not self._simulator.options.has_limits:
            return None
        left, reset = self._errors.standing(caller)
        if not left:
            headers = {"X-ESI-Error-Limit-Remain": "0", "X-ESI-Error-Limit-Reset": str(reset)}
            return error_answer(420, _TOO_MANY_ERRORS, headers)
        if route.bucket is not None:
            state = self._buckets.state(route.bucket.group, caller, route.bucket.tokens)
            if not state.remaining:
                answer = error_answer(429, "Too many requests", {"Retry-After": str(state.retry_after)})
                self._add_limits(answer, route, caller)
                return answer
        return None

    def _add_limits(self, answer: web.Response, route: Route, caller: str) -> None:
        """Count the answer and write its limits; a route has one family of headers or the other, never both.

        Without limits nothing is counted: a client that obeys the headers must not hold back because of them.
        """
        is_counted = self._simulator.options.has_limits
        if route.bucket is None:
            if is_counted and answer.status >= 400 and answer.status not in _UNCOUNTED:
                self._errors.count_error(caller)
            left, reset = self._errors.standing(caller)
            answer.headers["X-ESI-Error-Limit-Remain"] = str(left)
            answer.headers["X-ESI-Error-Limit-Reset"] = str(reset)
            return
        cost = self._buckets.cost(answer.status) if is_counted else 0
        state = self._buckets.state(route.bucket.group, caller, route.bucket.tokens, cost)
        answer.headers["X-Ratelimit-Group"] = route.bucket.group
        answer.headers["X-Ratelimit-Limit"] = f"{state.limit}/{state.window}"
        answer.headers["X-Ratelimit-Remaining"] = str(state.remaining)
        answer.headers["X-Ratelimit-Used"] = str(state.used)

    async def _answer(self, route: Route, request: web.Request) -> web.Response:
        try:
            call = Call(request, self._compatibility_date(request))
            body = await resolved(route.answer(call))
        except ErrorAnswer as error:
            return error_answer(error.status, str(error))
        headers = self._caching(route)
        headers["X-Compatibility-Date"] = call.compatibility_date.isoformat()
        if isinstance(body, Paged):
            headers["X-Pages"] = str(body.pages)
            body = body.body
        data = body if isinstance(body, bytes) else msgspec.json.encode(body)
        headers["ETag"] = etag_of(data)
        if _is_unchanged(request, headers):
            return web.Response(status=304, headers=headers)
        return json_answer(data, headers=headers)

    def _compatibility_date(self, request: web.Request) -> date:
        asked = request.headers.get("X-Compatibility-Date") or request.query.get("compatibility_date")
        if asked is None:
            return OLDEST_DATE
        try:
            wanted = date.fromisoformat(asked)
        except ValueError:
            raise ErrorAnswer(400, f"{asked} is not a compatibility date") from None
        today = (datetime.fromtimestamp(self._simulator.now(), UTC) - _DAY_STARTS).date()
        if not OLDEST_DATE <= wanted <= today:
            raise ErrorAnswer(400, f"The compatibility date must be from {OLDEST_DATE} to {today}")
        return wanted

    def _caching(self, route: Route) -> dict[str, str]:
        """Return the headers of an answer made when its cache last ran out: all clients see the same window."""
        now = int(self._simulator.now())
        made = now - now % route.cache_seconds
        expires = made + route.cache_seconds
        return {
            "Cache-Control": f"public, max-age={expires - now}",
            "Expires": _http_date(expires),
            "Last-Modified": _http_date(made),
        }


def esi_time(instant: datetime) -> str:
    """Return an instant as ESI writes it. instant: in UTC."""
    return f"{instant:%Y-%m-%dT%H:%M:%SZ}"


@lru_cache(maxsize=1024)
def _http_date(seconds: int) -> str:
    return format_datetime(datetime.fromtimestamp(seconds, UTC), usegmt=True)


def _is_unchanged(request: web.Request, headers: dict[str, str]) -> bool:
    """Tell whether the client has this answer already; the tag decides where both are given."""
    tags = request.headers.get("If-None-Match")
    if tags is not None:
        known = {tag.strip().removeprefix("W/") for tag in tags.split(",")}
        return headers["ETag"] in known or "*" in known
    since = request.headers.get("If-Modified-Since")
    if since is None or request.method != "GET":
        return False
    modified, asked = read_http_date(headers["Last-Modified"]), read_http_date(since)
    return modified is not None and asked is not None and modified <= asked
