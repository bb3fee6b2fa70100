"""An address of the REST API: what answers there, and how the OpenAPI document describes it."""

from __future__ import annotations

import asyncio
import math
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from killreport.api.door.guard.gate import MIN_COST, RateLimited
from killreport.api.door.masking import sentence_of, told_failure
from killreport.api.rest.formats import JSON, PARAMETER, NotAcceptable, asked_media
from killreport.api.rest.rate_limit import RestLimiter, RestRequest
from killreport.door.concurrency import LimitReached
from killreport.errors import KillreportError, Malformed, NotFound, Refused, Transient, Unavailable

Handler = Callable[[RestRequest], Awaitable[Response]]

NO_STORE = "no-store"
MAX_NAMED = 6
_OTHER_METHODS = ("GET", "PUT", "PATCH", "DELETE")
_STATUS: tuple[tuple[type[KillreportError], int], ...] = (
    (NotAcceptable, 406), (Malformed, 400), (Refused, 400), (NotFound, 404), (Transient, 503), (Unavailable, 503),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """Something an address takes. place: `path` or `query`."""

    name: str
    place: str
    help: str
    schema: Mapping[str, Any]
    is_required: bool = False


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One address. path: Starlette's template. answer: the JSON schema of a success, by its media type.

    answer's first media type is the usual one. misses: what a 404 means here. error_status: overrides the status of
    refusals, for protocols that have their own. is_waiting: it waits more than it works, and is counted with what is
    live. takes_slash: it answers with a slash at its end too, as zKillboard's addresses have. repeats: a parameter may
    come more than once. unsupported: why what others know is not known here, by the parameter's name. unlisted:
    parameters whose values no JSON schema describes; the summary has to tell of them. body: the schema of what is
    sent, by media type. statuses: what further statuses of errors mean here.
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
    takes_slash: bool = False
    repeats: bool = False
    unsupported: Mapping[str, str] = field(default_factory=dict)
    unlisted: tuple[str, ...] = ()
    method: str = "GET"
    body: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    statuses: Mapping[int, str] = field(default_factory=dict)

    @property
    def has_choice(self) -> bool:
        """Whether the caller chooses the format; not where the address ends in one."""
        return "." not in self.path.rpartition("/")[2]

    @property
    def query_names(self) -> list[str]:
        """The parameters that may stand behind the question mark."""
        names = [parameter.name for parameter in self.parameters if parameter.place == "query"]
        return [*names, PARAMETER] if self.has_choice and len(self.answer) > 1 else names

    def routes(self, limiter: RestLimiter) -> list[Route]:
        """Return the routes, which take their limiter and answer errors in JSON."""

        schemas = {parameter.name: parameter.schema for parameter in self.parameters}

        async def answer(http: Request) -> Response:
            request = RestRequest(limiter, http, schemas)
            response = await self._answer(request)
            response.headers.update(limiter.guard.rate_headers(request.grant))
            if self.has_choice:
                response.headers.add_vary_header("Accept")
            return response

        paths = [self.path, f"{self.path}/"] if self.takes_slash else [self.path]
        routes = [Route(path, answer, methods=[self.method], name=self.name) for path in paths]
        if self.method != "GET":
            # A more general address would answer them.
            routes += [Route(path, self._refuse_method, methods=_OTHER_METHODS) for path in paths]
        return routes

    async def _refuse_method(self, _request: Request) -> Response:
        raise HTTPException(405, headers={"Allow": self.method})

    def _check_query(self, request: Request) -> None:
        """Refuse parameters that are not known: a mistyped one that is passed over gives wrong answers."""
        given = Counter(name for name, _ in request.query_params.multi_items())
        known = [*self.query_names, *self.unlisted]
        for name, count in given.items():
            if name in self.unsupported:
                raise Refused(self.unsupported[name])
            if name not in known:
                others = (
                    f", only {', '.join(known)}" if len(known) <= MAX_NAMED else ", only those of the OpenAPI document"
                )
                raise Refused(f"There is no parameter {name[:40]!r} here{others if known else ', there are none'}.")
            if count > 1 and not self.repeats:
                raise Refused(f"The parameter {name} is given twice.")

    async def _served(self, request: RestRequest) -> Response:
        await request.pay(MIN_COST)
        self._check_query(request.http)
        request.media = asked_media(request.http, self.answer) if self.has_choice else next(iter(self.answer))
        if self.is_waiting:
            with request.stream():
                return await self.handler(request)
        limiter = request.limiter
        with limiter.place(request.client):
            async with limiter.turn(limiter.seconds):
                try:
                    async with asyncio.timeout(limiter.seconds) as limit:
                        return await self.handler(request)
                except TimeoutError:
                    if not limit.expired():
                        raise
        raise Transient(f"This did not finish in {limiter.seconds:g} s. Request less at once.")

    def _status_of(self, error: KillreportError, media: str | None) -> int:
        if isinstance(error, LimitReached):
            return error.status
        status = next((status for kind, status in _STATUS if isinstance(error, kind)), 500)
        if self.error_status is None or status != 400 or media is None:  # no protocol has our parameters
            return status
        # Who asked for CSV would take an error of status 200 for a table.
        return self.error_status if media == JSON else 404

    async def _answer(self, request: RestRequest) -> Response:
        try:
            return await self._served(request)
        except RateLimited as error:
            request.grant = error.grant
            return error_answer(429, error.message)
        except KillreportError as error:
            return error_answer(self._status_of(error, request.media), sentence_of(error), _later(error))
        except Exception as error:
            failure = told_failure(error, path=request.http.url.path)
            return error_answer(failure.status, failure.sentence)


def json_answer(found: Any, *, cache: str = NO_STORE, pretty: bool = False) -> Response:
    """Return a value as JSON."""
    body = msgspec.json.encode(found)
    return _json(msgspec.json.format(body, indent=4) if pretty else body, 200, cache)


def error_answer(
    status: int, sentence: str, headers: Mapping[str, str] | None = None, *, status_word: str | None = None
) -> Response:
    """Return an error as zKillboard writes it. status_word: what its `status` says, where it has one."""
    found = {"error": sentence} if status_word is None else {"status": status_word, "error": sentence}
    response = _json(msgspec.json.encode(found), status, NO_STORE)
    response.headers.update(headers or {})
    return response


def _later(error: KillreportError) -> dict[str, str]:
    """Return the header that says when to come again."""
    seconds = error.retry_after if isinstance(error, Transient) else None
    return {} if seconds is None else {"Retry-After": f"{math.ceil(seconds)}"}


def _json(body: bytes, status: int, cache: str) -> Response:
    return Response(body, status, {"Cache-Control": cache}, "application/json")
