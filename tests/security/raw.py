"""Requests as strangers write them: bytes on a socket, and a small application they meet."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

# Whatever happens, no test waits longer for the other side.
PATIENCE_SECONDS = 30


async def said(address: str, *parts: bytes, after_first: bool = False) -> bytes:
    """Return everything the server says to these bytes until it closes; what it no longer reads is not sent.

    after_first: the parts after the first wait until it was answered.
    """
    host, _, port = address.removeprefix("http://").partition(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    answer = bytearray()
    heard = asyncio.Event()
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            reading = asyncio.create_task(_read(reader, answer, heard))
            with suppress(ConnectionError):
                for number, part in enumerate(parts):
                    if number == 1 and after_first:
                        await heard.wait()
                    if reading.done():
                        break
                    writer.write(part)
                    await writer.drain()
            await reading
    finally:
        writer.close()
    return bytes(answer)


async def _read(reader: asyncio.StreamReader, answer: bytearray, heard: asyncio.Event) -> None:
    try:
        with suppress(ConnectionError):
            while chunk := await reader.read(65_536):
                answer += chunk
                heard.set()
    finally:
        heard.set()


def status(answer: bytes) -> int:
    """Return the status of an answer, 0 where there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0


def resident_mb() -> float:
    """Return how much memory this process holds."""
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def small_app() -> Starlette:
    """Return an application that reads bodies, streams without an end, and counts what it hears over WebSocket.

    `app.state.ended` is set once such a stream has ended.
    """

    async def healthz(_request: Request) -> Response:
        return PlainTextResponse("ok")

    async def read(request: Request) -> Response:
        return PlainTextResponse(str(len(await request.body())))

    async def ignore(_request: Request) -> Response:
        return PlainTextResponse("ignored")

    async def endless(_request: Request) -> Response:
        async def zeros() -> AsyncIterator[bytes]:
            try:
                while True:
                    yield bytes(65_536)
                    await asyncio.sleep(0)
            finally:
                app.state.ended.set()

        return StreamingResponse(zeros())

    async def listen(websocket: WebSocket) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            while True:
                await websocket.send_text(str(len(await websocket.receive_text())))

    app = Starlette(
        routes=[
            Route("/healthz", healthz),
            Route("/read", read, methods=["GET", "POST"]),
            Route("/ignore", ignore, methods=["GET", "POST"]),
            Route("/endless", endless),
            WebSocketRoute("/listen", listen),
        ]
    )
    app.state.ended = asyncio.Event()
    return app
