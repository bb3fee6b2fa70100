"""How every part answers: routes from functions, bodies in JSON, errors with a sentence."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from killreport.errors import Malformed

Answer = Callable[[web.Request], Any]
"""Returns a body or an answer, or what is awaited for one; raises ErrorAnswer."""


class ErrorAnswer(Exception):
    """An answer that is an error, in the host's words."""

    def __init__(self, status: int, message: str, headers: dict[str, str] | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.headers = headers


def route(method: str, path: str, answer: Answer, headers: dict[str, str] | None = None) -> web.RouteDef:
    """Return the route of a function; a body that it returns goes out as JSON, with these headers."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            found = await resolved(answer(request))
        except ErrorAnswer as error:
            return error_answer(error.status, str(error), error.headers)
        except Malformed as error:
            return error_answer(400, str(error))
        return found if isinstance(found, web.StreamResponse) else json_answer(found, headers=headers)

    return web.route(method, path, handle)


async def resolved(found: Any) -> Any:
    """Return what was found, awaited where it has to be."""
    return await found if inspect.isawaitable(found) else found


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer; bytes are taken as JSON already."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return web.Response(body=data, status=status, headers=headers, content_type="application/json")


def error_answer(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return `{"error": message}` with a status."""
    return json_answer({"error": message}, status, headers)


def etag_of(body: bytes) -> str:
    """Return what tells this body from every other, as the header has it."""
    return f'"{hashlib.sha1(body, usedforsecurity=False).hexdigest()}"'
