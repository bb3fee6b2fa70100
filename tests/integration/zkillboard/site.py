"""A web site on loopback that answers from a table."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from aiohttp import web


@dataclass(frozen=True)
class Answer:
    """What a path answers. cut_after: close the connection after so many bytes of the body."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None


@dataclass
class Site:
    """`answers` by path may be changed at any time; other paths are 404. `asked` keeps every request."""

    url: str = ""
    answers: dict[str, Answer] = field(default_factory=dict)
    asked: list[web.Request] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.StreamResponse:
        self.asked.append(request)
        answer = self.answers.get(request.path, Answer(status=404))
        if answer.cut_after is None:
            response = web.Response(body=answer.body, status=answer.status, headers=answer.headers)
            if "Content-Encoding" not in answer.headers:
                response.enable_compression()
            return response
        cut = web.StreamResponse(status=answer.status)
        cut.content_length = len(answer.body)
        await cut.prepare(request)
        await cut.write(answer.body[: answer.cut_after])
        assert request.transport is not None
        request.transport.close()
        return cut


@asynccontextmanager
async def open_site(answers: dict[str, Answer] | None = None) -> AsyncIterator[Site]:
    """Serve a table on a free port."""
    site = Site(answers=dict(answers or {}))
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", site.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    listener = web.TCPSite(runner, "127.0.0.1", 0)
    await listener.start()
    site.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield site
    finally:
        await runner.cleanup()
        # The connector's side of closed connections is finished in the next round of the loop.
        await asyncio.sleep(0)
