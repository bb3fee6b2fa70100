"""A text that is the same for everybody, such as the schema: written and compressed once, and paid for like a row."""

from __future__ import annotations

import functools
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response

from killreport.api.door.guard.gate import RateLimited
from killreport.api.door.guard.guard import Guard
from killreport.api.door.guard.responses import KeptBody
from killreport.api.rest.endpoint import error_answer
from killreport.api.rest.rate_limit import ROW_COST


class KeptText:
    """Answers with a text. make: called once, when it is first asked for. cache: its `Cache-Control`."""

    def __init__(self, guard: Guard, make: Callable[[], str], media_type: str, cache: str | None = None) -> None:
        self._guard = guard
        self._media_type = media_type
        self._headers = {"Vary": "Accept-Encoding"} | ({} if cache is None else {"Cache-Control": cache})
        # By the application it would be compressed again for everybody who asks, on the loop that answers all others.
        self._kept = functools.cache(lambda: KeptBody(make().encode()))

    async def answer(self, request: Request) -> Response:
        """Answer, for who can pay."""
        guard = self._guard
        try:
            grant = await guard.gate.take(guard.clients.client(request), ROW_COST)
        except RateLimited as error:
            response = error_answer(429, error.message)
            response.headers.update(guard.rate_headers(error.grant))
            return response
        return self._kept().response(request, self._media_type, {**self._headers, **guard.rate_headers(grant)})
