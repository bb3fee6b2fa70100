"""What a request over HTTP asks: one operation or several, from its body or its address."""

from __future__ import annotations

import asyncio
from typing import Any

from starlette.requests import ClientDisconnect, Request

from killreport.api.door.guard.readable import read_json
from killreport.api.door.limits import MAX_BODY_BYTES


class Unreadable(Exception):
    """Nothing of the request could be understood; the message is for who sent it."""

    def __init__(self, message: str, status: int, code: str = "BAD_REQUEST", allow: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"errors": [{"message": message, "extensions": {"code": code}}]}
        self.headers = {} if allow is None else {"Allow": allow}
        if status in (408, 413):
            # The rest of a body that is too long or too slow is not read: the connection cannot go on.
            self.headers["Connection"] = "close"


async def read_request(request: Request, body_seconds: float, most_operations: int) -> Any:
    """Return what is asked, unchecked but for its size: usually an object, or a list of them. Raises Unreadable."""
    if request.method == "GET":
        return _from_address(request)
    # Forms and plain text are what a foreign page may post without a preflight.
    if request.headers.get("content-type", "").split(";")[0].strip().lower() != "application/json":
        raise Unreadable("Post the query as application/json.", 415)
    try:
        async with asyncio.timeout(body_seconds):
            body = await _bounded_body(request)
    except TimeoutError:
        raise Unreadable(f"The body did not arrive in {body_seconds:g} s.", 408, "TIMEOUT") from None
    data = _decode(body, "The body")
    if isinstance(data, list) and not 1 <= len(data) <= most_operations:
        message = f"A request may have 1 to {most_operations} operations; this one has {len(data)}."
        raise Unreadable(message, 400, "QUERY_TOO_LARGE")
    return data


def _from_address(request: Request) -> dict[str, Any]:
    parameters = request.query_params
    data: dict[str, Any] = {
        "query": parameters.get("query", "").strip() or None,
        "operationName": parameters.get("operationName", "").strip() or None,
    }
    for name in ("variables", "extensions"):
        if text := parameters.get(name, "").strip():
            data[name] = _decode(text.encode("utf-8", "surrogatepass"), f"`{name}` in the address")
    return data


def _decode(body: bytes, what: str) -> Any:
    try:
        return read_json(body)
    except (ValueError, RecursionError):
        raise Unreadable(f"{what} is not valid JSON.", 400) from None


async def _bounded_body(request: Request) -> bytes:
    body, is_whole = bytearray(), False
    while not is_whole:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        body += message.get("body", b"")
        if len(body) > MAX_BODY_BYTES:
            raise Unreadable(f"A request may have {MAX_BODY_BYTES} bytes.", 413, "PAYLOAD_TOO_LARGE")
        is_whole = not message.get("more_body", False)
    return bytes(body)
