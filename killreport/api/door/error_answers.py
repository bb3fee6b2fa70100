"""What the API answers where no address of its own could: an error in the shape of whoever was asked."""

from __future__ import annotations

from typing import Any

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from killreport.answering import without_slash
from killreport.api.door.masking import error_code, told_failure
from killreport.errors import Malformed, NotFound

GRAPHQL = "/graphql"


def unreadable_request(request: Request, sentence: str) -> Response:
    """Return the answer to a request that cannot be read."""
    return _error_answer(request, 400, sentence, error_code(Malformed))


def answer_to(request: Request, error: Exception) -> Response:
    """Return the answer to a request for which this was raised."""
    if not isinstance(error, HTTPException):
        failure = told_failure(error, path=request.url.path)
        return _error_answer(request, failure.status, failure.sentence, failure.code)
    if error.status_code == 404:
        found = without_slash(request)
        return found or _error_answer(request, 404, "There is nothing at this address.", error_code(NotFound))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        sentence = f"This address takes {headers.get('Allow', 'other methods')} only."
        return _error_answer(request, 405, sentence, "METHOD_NOT_ALLOWED", **headers)
    return _error_answer(request, error.status_code, error.detail, "BAD_REQUEST", **headers)


def _error_answer(request: Request, status: int, sentence: str, code: str, **headers: str) -> Response:
    """Return an error as GraphQL writes it, or for all other addresses as zKillboard does."""
    content: dict[str, Any] = {"error": sentence}
    if request.scope["path"].rstrip("/") == GRAPHQL:
        content = {"errors": [{"message": sentence, "extensions": {"code": code}}]}
    return Response(msgspec.json.encode(content), status, {"Cache-Control": "no-store", **headers}, "application/json")
