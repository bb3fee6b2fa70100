"""GraphQL over HTTP: reads, has the gate decide, runs or finds the answer, and says it as the client likes.

JSON only, since forms would let a foreign page post without asking. Source: https://graphql.github.io/graphql-over-http/draft/.
"""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
from graphql import GraphQLError
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from killreport.api.door.execution import Execution
from killreport.api.door.guard.gate import MIN_COST, Admitted, RateLimited
from killreport.api.door.guard.guard import told
from killreport.api.door.guard.negotiation import EVENTS, JSON, as_request_error, media_type, status_of
from killreport.api.door.guard.persisted import Misshapen
from killreport.api.door.guard.reading import Unreadable, read_request
from killreport.api.door.guard.responses import Answer, Entry
from killreport.api.door.guard.sse import EventStream
from killreport.api.explorer import explorer_page
from killreport.door.client import Client
from killreport.door.concurrency import LimitReached

COST_HEADER = "x-show-cost"
ALLOWED = "GET, POST, OPTIONS"
_HEADERS = {"Cache-Control": "no-store"}


class HTTPHandler:
    """Answers every refusal in GraphQL's shape: `{"errors": [{"message": …}]}`."""

    def __init__(self, execution: Execution) -> None:
        self._execution = execution
        self._guard = execution.guard

    async def answer(self, request: Request) -> Response:
        """Return the explorer, an answer, or a stream of answers."""
        is_asked = request.method != "GET" or not {"query", "extensions"}.isdisjoint(request.query_params.keys())
        if not is_asked and self._guard.settings.api_explorer and "text/html" in request.headers.get("accept", ""):
            return explorer_page(request)
        try:
            if request.method not in ("GET", "POST"):
                raise Unreadable("Use GET or POST.", 405, allow=ALLOWED)
            if not is_asked:
                raise Unreadable("Give the query as `query`, or post it.", 405, allow=ALLOWED)
            return await self._respond(request)
        except RateLimited as error:
            return self._refused(error)
        except Unreadable as error:
            return _json(error.content, error.status, JSON, error.headers)
        except ClientDisconnect:
            return Response(status_code=400)

    async def _respond(self, request: Request) -> Response:
        """Return what was asked for. Raises RateLimited or Unreadable where it is not looked at."""
        media = media_type(request.headers.get("accept"))
        if media is None:
            raise Unreadable("Accept application/json, application/graphql-response+json or text/event-stream.", 406)
        settings, client = self._guard.settings, self._guard.clients.client(request)
        # Paid before anything is read, so that an empty bucket cannot make us read.
        request.state.grant = await self._guard.gate.take(client, MIN_COST)
        data = await read_request(request, settings.api_body_seconds, settings.api_max_batch)
        if media == EVENTS:
            return await self._stream(request, client, data)
        if isinstance(data, list):
            return await self._several(request, client, data)
        admitted = await self._admitted(request, client, data)
        return self._said(request, await self._answer(request, client, admitted), media)

    def _said(self, request: Request, answer: Answer | Entry, media: str) -> Response:
        headers = self._guard.rate_headers(request.state.grant)
        if isinstance(answer, Entry):
            headers["Cache-Control"] = f"public, max-age={self._guard.responses.seconds_left(answer)}"
            headers["Vary"] = "Accept, Accept-Encoding, Cookie, Authorization"
            return answer.response(request, f"{media}; charset=utf-8", headers)
        content = as_request_error(answer.content)
        return _json(content, answer.status or status_of(content, media), media, headers | answer.headers)

    def _refused(self, error: GraphQLError, least_status: int = 200) -> Response:
        """Return the refusal of a whole request."""
        content = told(error)
        headers = self._guard.rate_headers(error.grant) if isinstance(error, RateLimited) else {}
        return _json(content, max(status_of(content, JSON), least_status), JSON, headers)

    async def _several(self, request: Request, client: Client, batch: list[Any]) -> Response:
        """Answer a list of operations by a list; they are priced together, before the first runs."""
        gate = self._guard.gate
        operations: list[Admitted | GraphQLError] = []
        prices: list[int] = []
        try:
            for data in batch:
                operations.append(await self._admitted(request, client, data))
                prices.append(self._price(operations[-1]))
            gate.check_cost(sum(prices))
            request.state.grant = await gate.take(client, sum(prices))
        except GraphQLError as error:
            return self._refused(error)
        headers = self._guard.rate_headers(request.state.grant)
        free = Client(client.key, False)
        answers = await asyncio.gather(*(self._answer(request, free, one) for one in operations))
        bodies = [
            answer.body if isinstance(answer, Entry) else msgspec.json.encode(as_request_error(answer.content))
            for answer in answers
        ]
        return _response(b"[" + b",".join(bodies) + b"]", 200, JSON, headers)

    def _price(self, operation: Admitted | GraphQLError) -> int:
        try:
            return MIN_COST if isinstance(operation, GraphQLError) else self._guard.gate.cost(operation)
        except GraphQLError:
            # It is told by the operation's own answer.
            return MIN_COST

    async def _admitted(self, request: Request, client: Client, data: Any) -> Admitted | GraphQLError:
        """Return the operation, or why it may not run. Raises RateLimited."""
        try:
            return await self._guard.gate.admit(client, data, is_get=request.method == "GET")
        except RateLimited:
            raise
        except GraphQLError as error:
            return error

    async def _answer(self, request: Request, client: Client, admitted: Admitted | GraphQLError) -> Answer | Entry:
        """Return the answer to one operation, a kept one where there is one."""
        if isinstance(admitted, GraphQLError):
            return Answer(told(admitted), 400 if isinstance(admitted, Misshapen) else None)
        responses, lifetime = self._guard.responses, admitted.operation.lifetime
        may_keep = responses.is_on and lifetime.seconds > 0 and _is_anonymous(request)
        if not may_keep:
            return await self._priced(request, client, admitted)
        entry = responses.find(admitted.key)
        if entry is not None:
            return entry
        return await responses.shared(admitted.key, lifetime, lambda: self._priced(request, client, admitted))

    async def _priced(self, request: Request, client: Client, admitted: Admitted) -> Answer:
        try:
            if admitted.operation.is_subscription:
                raise GraphQLError("Follow a subscription over WebSocket, or with `Accept: text/event-stream`.")
            cost = self._guard.gate.cost(admitted)
            grant = request.state.grant = await self._guard.gate.take(client, cost - MIN_COST)
        except RateLimited as error:
            return Answer(told(error), 429, self._guard.rate_headers(error.grant))
        except GraphQLError as error:
            return Answer(told(error))
        content = await self._execution.run(request, admitted)
        if COST_HEADER in request.headers:
            settings = self._guard.settings
            shown = {"cost": cost, "limit": settings.api_max_cost, "left": grant.left if grant else None}
            content = {**content, "extensions": {**content.get("extensions", {}), "cost": shown}}
        return Answer(content)

    async def _stream(self, request: Request, client: Client, data: Any) -> Response:
        guard = self._guard
        try:
            admitted = await guard.gate.admit(client, data, is_get=request.method == "GET")
            await guard.gate.take(client, guard.gate.cost(admitted) - MIN_COST)
            place = guard.places.take(client)
            with place.given_back_on_error():
                results = await self._execution.results(request, client, admitted)
        except LimitReached as error:
            refusal = GraphQLError(str(error), extensions={"code": "TOO_MANY_CONNECTIONS"})
            return _json(told(refusal), error.status, JSON, {"Retry-After": f"{error.retry_after:.0f}"})
        except GraphQLError as error:
            return self._refused(error, 400)
        stop = getattr(request.app.state, "stop", None) or asyncio.Event()
        heartbeat = guard.settings.api_heartbeat_seconds
        return EventStream(results, place, heartbeat_seconds=heartbeat, stop=stop, headers=_HEADERS)


def _is_anonymous(request: Request) -> bool:
    """Whether the answer would be the same for everybody, and says nothing of its own cost."""
    return not any(name in request.headers for name in ("cookie", "authorization", COST_HEADER))


def _json(content: Any, status: int, media: str, headers: dict[str, str]) -> Response:
    return _response(msgspec.json.encode(content), status, media, headers)


def _response(body: bytes, status: int, media: str, headers: dict[str, str]) -> Response:
    return Response(body, status, {**_HEADERS, **headers}, f"{media}; charset=utf-8")
