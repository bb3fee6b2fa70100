"""Small answers every part gives the same way."""

from __future__ import annotations

from typing import Any

import msgspec
from aiohttp import web


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    """Return a JSON answer; bytes are taken as JSON already."""
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return web.Response(body=data, status=status, headers=headers, content_type="application/json")


def error_answer(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return `{"error": message}` with a status."""
    return json_answer({"error": message}, status, headers)
