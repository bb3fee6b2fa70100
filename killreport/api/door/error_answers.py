"""What the API answers where no address of its own could: an error in the shape of whoever was asked."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import msgspec
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from killreport.answering import without_slash
from killreport.api.door.masking import error_code
from killreport.db.database import AWAY_ERRORS, is_away
from killreport.errors import Malformed, NotFound, Unavailable

GRAPHQL = "/graphql"
NO_DATABASE = "The database does not answer; try again shortly."
_log = structlog.get_logger(__name__)


def unreadable_request(request: Request, sentence: str) -> Response:
    """Return the answer to a request that cannot be read."""
    return error_answer(request, 400, sentence, error_code(Malformed))


def error_answer(request: Request, status: int, sentence: str, code: str, **headers: str) -> Response:
    """Return an error as GraphQL writes it, or for all other addresses as zKillboard does."""
    content: dict[str, Any] = {"error": sentence}
    if request.scope["path"].rstrip("/") == GRAPHQL:
        content = {"errors": [{"message": sentence, "extensions": {"code": code}}]}
    return Response(msgspec.json.encode(content), status, {"Cache-Control": "no-store", **headers}, "application/json")


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    if error.status_code == 404:
        found = without_slash(request)
        return found or error_answer(request, 404, "There is nothing at this address.", error_code(NotFound))
    headers = dict(error.headers or {})
    if error.status_code == 405:
        sentence = f"This address takes {headers.get('Allow', 'other methods')} only."
        return error_answer(request, 405, sentence, "METHOD_NOT_ALLOWED", **headers)
    return error_answer(request, error.status_code, error.detail, "BAD_REQUEST", **headers)


async def _database_lost(request: Request, error: Exception) -> Response:
    if not is_away(error):
        return await _failed(request, error)
    _log.warning("api_database_lost", reason=repr(error))
    return error_answer(request, 503, NO_DATABASE, error_code(Unavailable))


async def _failed(request: Request, error: Exception) -> Response:
    error_id = secrets.token_hex(4)
    _log.error("api_failed", error_id=error_id, path=request.url.path, exc_info=error)
    return error_answer(request, 500, f"Something failed here; the log has it as {error_id}.", "INTERNAL")


ERROR_ANSWERS: Mapping[Any, Callable[[Request, Exception], Awaitable[Response]]] = {
    HTTPException: _refused,
    **dict.fromkeys(AWAY_ERRORS, _database_lost),
    Exception: _failed,
}
