"""The site's one way to data: the GraphQL API, over HTTP for pages and over WebSocket for what is new."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeVar

import aiohttp
import msgspec
import structlog

from killreport.decoding import decode_json
from killreport.door.visitor_signature import FLEET, VisitorSigner
from killreport.errors import Malformed, Refused, Transient, Unavailable
from killreport.http import read_body
from killreport.web import documents
from killreport.web.model import ApiKillRow, FeedAnswer, ListAnswer, LiveAnswer

PROTOCOL = "graphql-transport-ws"
PAGE_TIMEOUT_SECONDS = 10.0
CONNECT_TIMEOUT_SECONDS = 3.0
PAGE_CONNECTIONS = 50
# The live stream, what it asks when it begins, and the health.
OWN_CONNECTIONS = 4
# A dead peer is noticed after this long without an answer to a WebSocket ping.
HEARTBEAT_SECONDS = 15.0
_log = structlog.get_logger(__name__)
_FAILURES = (aiohttp.ClientError, TimeoutError, OSError)

T = TypeVar("T")


class _Error(msgspec.Struct):
    message: str
    extensions: dict[str, Any] = {}
    path: list[str | int] = []


class _Answer(msgspec.Struct):
    data: msgspec.Raw = msgspec.Raw(b"null")
    errors: list[_Error] = []

    def data_as(self, shape: type[T]) -> T | None:
        """Return the data in this shape, None where there is none. Raises Malformed."""
        return None if bytes(self.data) == b"null" else decode_json(self.data, shape, strict=False)


class ApiClient:
    """Asks the API. Raises Unavailable where it does not answer, Refused where the query is wrong, Transient where the

    visitor it asks for has asked for too much.
    """

    def __init__(
        self,
        pages: aiohttp.ClientSession,
        own: aiohttp.ClientSession,
        address: str,
        signer: VisitorSigner,
        visitor: str = FLEET,
    ) -> None:
        """visitor: the address of whom it asks for, or the site itself. own: has connections no page can take."""
        self._pages = pages
        self._own = own
        self._session = own if visitor == FLEET else pages
        self._address = address
        self._signer = signer
        self._headers = signer.headers(visitor)

    def asking_for(self, visitor: str) -> ApiClient:
        """Return one that asks for a visitor: the API counts what it costs as that visitor's."""
        return ApiClient(self._pages, self._own, self._address, self._signer, visitor)

    async def list_killmails(self, first: int, after: str | None) -> ListAnswer:
        """Return a page of killmails, newest first. Raises Refused for a cursor that is none."""
        return await self.ask(documents.LIST, ListAnswer, first=first, after=after)

    async def feed(self) -> FeedAnswer:
        """Return how the live feed does."""
        return await self.ask(documents.FEED, FeedAnswer)

    async def health(self) -> str | None:
        """Return how the API says it does, None where it cannot serve."""
        try:
            async with self._session.get(f"{self._address}/healthz", headers=self._headers) as response:
                return await response.text() if response.status == 200 else None
        except _FAILURES:
            return None

    async def ask(self, document: str, answer: type[T], /, **variables: Any) -> T:
        """Return the answer to a document in this shape."""
        body = {"query": document, "variables": variables}
        try:
            async with self._session.post(f"{self._address}/graphql", json=body, headers=self._headers) as response:
                decoded = decode_json(await read_body(response), _Answer)
            data = decoded.data_as(answer)
        except _FAILURES as error:
            raise Unavailable(f"The API at {self._address} does not answer: {type(error).__name__}.") from error
        except Malformed as error:
            raise Unavailable(f"The API at {self._address} gave an answer that cannot be read: {error}.") from error
        if data is not None and all(problem.path for problem in decoded.errors):
            # Of what could be null by itself: everything else is there.
            if decoded.errors:
                _log.warning("api_answer_incomplete", errors=[problem.message for problem in decoded.errors])
            return data
        for problem in decoded.errors:
            if problem.extensions.get("code") == "RATE_LIMITED":
                raise Transient(problem.message, problem.extensions.get("retryAfter"))
            if problem.extensions.get("code") in ("BAD_REQUEST", "BAD_CURSOR"):
                raise Refused(problem.message)
            raise Unavailable(f"The API failed: {problem.message}")
        if data is None:
            raise Unavailable("The API gave an answer without data.")
        return data

    @asynccontextmanager
    async def follow(self) -> AsyncIterator[AsyncIterator[ApiKillRow]]:
        """Lend the rows of killmails as they are stored, from the moment the block begins. Raises Unavailable."""
        address = f"{self._address.replace('http', 'ws', 1)}/graphql"
        try:
            async with self._session.ws_connect(
                address,
                protocols=[PROTOCOL],
                headers=self._headers,
                heartbeat=HEARTBEAT_SECONDS,
                timeout=aiohttp.ClientWSTimeout(ws_close=2.0),
            ) as socket:
                await self._begin(socket)
                yield _rows(socket)
        except _FAILURES as error:
            raise Unavailable(f"The API's live stream ended: {type(error).__name__}.") from error

    async def _begin(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        await socket.send_json({"type": "connection_init"})
        await _expect(socket, "connection_ack")
        await socket.send_json({"type": "subscribe", "id": "live", "payload": {"query": documents.LIVE}})
        # The API handles messages in order: once it answers this, the subscription has begun.
        await socket.send_json({"type": "ping"})
        await _expect(socket, "pong")


class _Message(msgspec.Struct):
    type: str
    payload: msgspec.Raw = msgspec.Raw(b"null")


async def _receive(socket: aiohttp.ClientWebSocketResponse, seconds: float | None = None) -> _Message:
    message = await socket.receive(seconds)
    if message.type is not aiohttp.WSMsgType.TEXT:
        raise Unavailable(f"The API closed the live stream ({socket.close_code}).")
    decoded = decode_json(message.data, _Message)
    if decoded.type in ("error", "complete"):
        raise Unavailable(f"The API ended the live stream: {json.loads(bytes(decoded.payload))}.")
    return decoded


async def _expect(socket: aiohttp.ClientWebSocketResponse, wanted: str) -> None:
    while (await _receive(socket, CONNECT_TIMEOUT_SECONDS)).type != wanted:
        pass


async def _rows(socket: aiohttp.ClientWebSocketResponse) -> AsyncIterator[ApiKillRow]:
    while True:
        message = await _receive(socket)
        if message.type == "next":
            answer = decode_json(message.payload, _Answer)
            data = answer.data_as(LiveAnswer)
            if data is None:
                reasons = "; ".join(error.message for error in answer.errors)
                raise Unavailable(f"The API ended the live stream: {reasons}")
            yield data.killmails


@asynccontextmanager
async def open_client(address: str, signer: VisitorSigner) -> AsyncIterator[ApiClient]:
    """Lend a client of the API at this base URL, which asks for the site; connections are kept open between pages."""
    timeout = aiohttp.ClientTimeout(total=PAGE_TIMEOUT_SECONDS, connect=CONNECT_TIMEOUT_SECONDS)
    # Usually the same machine: compressing costs more than it saves.
    headers = {"Accept-Encoding": "identity"}

    def session(connections: int) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(limit=connections)
        return aiohttp.ClientSession(timeout=timeout, headers=headers, connector=connector, auto_decompress=True)

    async with session(PAGE_CONNECTIONS) as pages, session(OWN_CONNECTIONS) as own:
        yield ApiClient(pages, own, address, signer)
