"""GraphQL over HTTP with bounds on the body, and JSON only: forms would let a foreign page post without asking."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from ariadne.asgi.handlers import GraphQLHTTPHandler
from ariadne.exceptions import HttpBadRequestError
from starlette.requests import Request
from starlette.responses import Response

from killreport.api.limits import MAX_BODY_BYTES

_HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}


class LimitedHTTPHandler(GraphQLHTTPHandler):
    """Answers every refusal in GraphQL's shape: `{"errors": [{"message": …}]}`."""

    async def graphql_http_server(self, request: Request) -> Response:
        """Execute the request; a body that cannot be read is a 400 with a sentence."""
        try:
            data = await self._read(request)
        except HttpBadRequestError as error:
            return _json({"errors": [{"message": error.message, "extensions": {"code": "BAD_REQUEST"}}]}, 400)
        success, result = await self.execute_graphql_query(request, data)
        return await self.create_json_response(request, result, success)

    async def create_json_response(self, request: Request, result: dict[str, Any], success: bool) -> Response:  # noqa: ARG002 - Ariadne's signature
        """Return the result; 400 only where nothing was executed."""
        return _json(result, 200 if success or result.get("data") is not None else 400)

    async def _read(self, request: Request) -> Any:
        if request.method == "GET":
            return self.extract_data_from_get_request(request)
        if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
            raise HttpBadRequestError("Post the query as application/json.")
        try:
            return json.loads(await _bounded_body(request))
        except (ValueError, RecursionError):
            raise HttpBadRequestError("The body is not valid JSON.") from None


async def _bounded_body(request: Request) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_BODY_BYTES:
            raise HttpBadRequestError(f"A request may have {MAX_BODY_BYTES} bytes.")
    return bytes(body)


def _json(content: Any, status: int) -> Response:
    return Response(msgspec.json.encode(content), status, _HEADERS, "application/json")
