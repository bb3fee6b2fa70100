"""HTTP connections with bounds: uvicorn's protocol, which by itself reads heads of any size and waits for ever."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from killreport.answering import STRICT_HEADERS
from killreport.door.bounds import BOUNDS, Bounds
from killreport.door.concurrency import RETRY_SECONDS
from killreport.door.connection_limit import Admission, ConnectionLimit
from killreport.door.writing import ReadOrLeave

# Of websockets' own parser, which has a little less room for a line than the rest of the head has here.
WEBSOCKET_LINE_BYTES = 8_000
_HANDSHAKE = "A WebSocket needs GET, no body, one Sec-WebSocket-Key of 16 bytes and one Sec-WebSocket-Version, 13."


# What else stands on a refusal, by the Origin of the request: None where none was read.
RefusalHeaders = Callable[[str | None], Mapping[str, str]]


def no_headers(_origin: str | None) -> Mapping[str, str]:
    """Return none, for a service that pages of other origins do not read."""
    return {}


class Refusal(Exception):
    """Raised inside the parser, which stops there."""

    def __init__(self, status: HTTPStatus, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status


class BoundedHttp(ReadOrLeave, HttpToolsProtocol):
    """A connection that ends, with an answer where one can still be given, when it passes a bound."""

    def __init__(
        self,
        *args: Any,
        connection_limit: ConnectionLimit,
        bounds: Bounds = BOUNDS,
        refusal_headers: RefusalHeaders = no_headers,
        **others: Any,
    ) -> None:
        super().__init__(*args, **others)
        self.connection_limit = connection_limit
        self.bounds = bounds
        self.refusal_headers = refusal_headers
        self.host = ""
        self.has_place = False
        self.must_be_known = False
        # All that are not answered yet: uvicorn tells the newest alone when the client goes.
        self.cycles: list[RequestResponseCycle] = []
        self.refusal: Refusal | None = None
        # Refused, or handed to the WebSocket protocol: nothing is read here any more.
        self.is_over = False
        self.is_in_head = True
        # Beginnings and ends of heads and bodies: what is read between two of them belongs to one part.
        self.steps = 0
        self.head_lines = self.head_bytes = self.unfinished_bytes = self.body_bytes = 0
        self.deadline: asyncio.TimerHandle | None = None
        self._application = self.app
        self.app = self._answering

    def connection_made(self, transport: Any) -> None:
        """Take a place, and begin waiting for the first request."""
        super().connection_made(transport)
        self.host = self.client[0] if self.client else ""
        entry = self.connection_limit.enter(self.host)
        self.has_place = True
        self.must_be_known = entry is Admission.KEPT
        if entry is Admission.FULL:
            # At once, for what lingers is a descriptor too.
            self.is_over = True
            transport.write(self._answer(_full()))
            transport.close()
            return
        self._expect_head(self.bounds.kept_seconds if self.must_be_known else self.bounds.head_seconds)

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back and wait no more."""
        self._leave()
        self._end_deadline()
        self.end_writing_deadline()
        self._disconnect_cycles()
        super().connection_lost(exc)

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection, and its place, to the WebSocket protocol, which reads the head again."""
        if any(len(name) + len(value) > WEBSOCKET_LINE_BYTES for name, value in [(b"", self.url), *self.headers]):
            sentence = f"A line in the head of a WebSocket may have {WEBSOCKET_LINE_BYTES} bytes."
            self._refuse(Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence))
            return
        self.is_over = True
        self._end_deadline()
        self._leave()
        super().handle_websocket_upgrade()

    def data_received(self, data: bytes) -> None:
        """Read, and count what belongs to no finished part of a request."""
        if self.is_over:
            # Read so that the answer is not lost to a reset, and only until the deadline.
            return
        self.connection_limit.wake(self)
        steps = self.steps
        super().data_received(data)
        if not self.transport.is_closing() and steps == self.steps:
            self._count(data)
        # The end of a body whose request was answered before it had come.
        self._rest()

    def _count(self, data: bytes) -> None:
        if self.is_over:
            return
        if not self.is_in_head:
            # However it is framed: chunks may have endless extensions, and trailers are no body to the parser.
            self.body_bytes += len(data)
            if self.body_bytes > self.bounds.body_bytes:
                self._refuse(_too_large(self.bounds.body_bytes))
            return
        self.unfinished_bytes += len(data)
        if self.unfinished_bytes > self.bounds.head_bytes:
            self._refuse(_long_head(self.bounds))
        elif self.deadline is None and self._is_idle():
            # Blank lines are no request, and yet end uvicorn's own wait for the next one.
            self._expect_head(self.bounds.head_seconds)

    def send_400_response(self, msg: str) -> None:
        """Answer what cannot be read, with the refusal where it was ours."""
        self._refuse(self.refusal or Refusal(HTTPStatus.BAD_REQUEST, msg))

    def on_message_begin(self) -> None:
        """Begin waiting for the rest of the head; the pause before it is uvicorn's to bound."""
        super().on_message_begin()
        self.is_in_head = True
        self.steps += 1
        self.head_lines = self.head_bytes = 0
        self.unfinished_bytes = 1
        if len(self.pipeline) >= self.bounds.pipelined:
            self._stop(Refusal(HTTPStatus.BAD_REQUEST, "Wait for an answer before you ask for more."))
        if self.deadline is None:
            self._expect_head(self.bounds.head_seconds)

    def on_url(self, url: bytes) -> None:
        """Read a part of the address."""
        super().on_url(url)
        if len(self.url) > self.bounds.address_bytes:
            sentence = f"An address may have {self.bounds.address_bytes} bytes."
            self._stop(Refusal(HTTPStatus.REQUEST_URI_TOO_LONG, sentence))

    def on_header(self, name: bytes, value: bytes) -> None:
        """Read a line of the head, or one that follows the body."""
        super().on_header(name, value)
        self.head_lines += 1
        self.head_bytes += len(name) + len(value) + 4
        if self.head_lines > self.bounds.head_lines or self.head_bytes + len(self.url) > self.bounds.head_bytes:
            self._stop(_long_head(self.bounds))

    def on_headers_complete(self) -> None:
        """Wait for the body, of a request that may be served."""
        self._end_deadline()
        if self.must_be_known and not self.connection_limit.is_known(self.host, self.url, self.headers):
            self._stop(_full())
        is_socket = self.parser.should_upgrade() and _asks_for_websocket(self.headers)
        if is_socket and not _is_handshake(self.parser.get_method(), self.headers):
            # The WebSocket protocol would answer without our headers, or never: with a body it is not even asked.
            self._stop(Refusal(HTTPStatus.BAD_REQUEST, _HANDSHAKE))
        # Before it counts as a body that is awaited: it may raise, of an address that is none, and that is answered.
        before = self.cycle
        super().on_headers_complete()
        # What becomes a WebSocket is no request of this protocol.
        if self.cycle is not before:
            self._announce(self.cycle)
        self.is_in_head = False
        self.steps += 1
        self.body_bytes = 0
        self.deadline = self.loop.call_later(self.bounds.body_seconds, self._on_late_body)
        self.cycles = [cycle for cycle in self._begun() if not cycle.response_complete]

    def on_message_complete(self) -> None:
        """Wait no more."""
        self._end_deadline()
        self.is_in_head = True
        self.steps += 1
        self.unfinished_bytes = 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Go on with the next request, or wait for it."""
        super().on_response_complete()
        self._rest()

    def shutdown(self) -> None:
        """End after the answer in hand, which promises nothing more."""
        for cycle in self._begun():
            if not cycle.response_started:
                self._promise_nothing(cycle)
        super().shutdown()

    def give_way(self) -> None:
        """Close, while it waits for a request, so that another may have the place."""
        self._unset_keepalive()
        self.is_over = True
        self.transport.close()
        self._leave()

    def _rest(self) -> None:
        """Wait for the next request, unless something is still read or answered; who rests gives way to who comes."""
        is_reading = not self.is_in_head or self.unfinished_bytes > 0 or self.deadline is not None
        if self.is_over or is_reading or not self._is_idle() or self.transport.is_closing():
            return
        if self.timeout_keep_alive_task is None:
            self.timeout_keep_alive_task = self.loop.call_later(
                self.bounds.idle_seconds, self.timeout_keep_alive_handler
            )
        self.connection_limit.rest(self, self.host)

    def _announce(self, cycle: RequestResponseCycle) -> None:
        """Have the answer say how long the connection is kept, unless it ends with it, as when the service stops."""
        if cycle.keep_alive and (b"connection", b"close") not in cycle.default_headers:
            cycle.default_headers = [*cycle.default_headers, *self._kept_headers()]

    def _promise_nothing(self, cycle: RequestResponseCycle) -> None:
        cycle.default_headers = [one for one in cycle.default_headers if one not in self._kept_headers()]

    async def _answering(self, scope: Any, receive: Any, send: Any) -> None:
        """Run the application; an answer of its own that ends the connection, as to too long a body, promises none."""

        async def say(message: Any) -> None:
            if message["type"] == "http.response.start" and _ends_connection(message.get("headers", ())):
                for cycle in self._begun():
                    if cycle.scope is scope:
                        self._promise_nothing(cycle)
            await send(message)

        await self._application(scope, receive, say)

    def _kept_headers(self) -> list[tuple[bytes, bytes]]:
        # Node's agent and others then drop a connection before we do. Source: RFC 2068, 19.7.1.1.
        return [(b"connection", b"keep-alive"), (b"keep-alive", b"timeout=%d" % self.bounds.idle_seconds)]

    def _begun(self) -> list[RequestResponseCycle]:
        # None before the first request, which uvicorn's annotation leaves out.
        newest: RequestResponseCycle | None = self.cycle
        return self.cycles if newest is None or newest in self.cycles else [*self.cycles, newest]

    def _is_idle(self) -> bool:
        return all(cycle.response_complete for cycle in self._begun())

    def _disconnect_cycles(self) -> None:
        for cycle in self.cycles:
            if not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()

    def _stop(self, refusal: Refusal) -> None:
        self.refusal = refusal
        raise refusal

    def _refuse(self, refusal: Refusal) -> None:
        """Answer and close; where an answer is on its way already, only close."""
        self._end_deadline()
        self._unset_keepalive()
        self.is_over = True
        is_idle = self._is_idle()
        may_answer = is_idle if self.is_in_head else not is_idle and not self.cycle.response_started
        self._disconnect_cycles()
        self.flow.resume_reading()
        if not may_answer or self.transport.is_closing():
            self.transport.close()
            return
        self.transport.write(self._answer(refusal))
        if self.transport.can_write_eof():
            self.transport.write_eof()
        self.deadline = self.loop.call_later(self.bounds.linger_seconds, self.transport.abort)

    def _answer(self, refusal: Refusal) -> bytes:
        origins = [value.decode("latin-1") for name, value in self.headers or () if name == b"origin"]
        own = self.refusal_headers(origins[0] if len(origins) == 1 else None)
        return _answer(refusal, [*self.server_state.default_headers, *_encoded(own)])

    def _unset_keepalive(self) -> None:
        if self.timeout_keep_alive_task is not None:
            self.timeout_keep_alive_task.cancel()
            self.timeout_keep_alive_task = None

    def _expect_head(self, seconds: float) -> None:
        self._end_deadline()
        self.deadline = self.loop.call_later(seconds, self._on_late_head)

    def _on_late_head(self) -> None:
        if self.unfinished_bytes == 0:
            self.transport.close()
        else:
            sentence = f"The head of a request must arrive within {self.bounds.head_seconds:g} s."
            self._refuse(Refusal(HTTPStatus.REQUEST_TIMEOUT, sentence))

    def _on_late_body(self) -> None:
        sentence = f"The body of a request must arrive within {self.bounds.body_seconds:g} s."
        self._refuse(Refusal(HTTPStatus.REQUEST_TIMEOUT, sentence))

    def _end_deadline(self) -> None:
        if self.deadline is not None:
            self.deadline.cancel()
            self.deadline = None

    def _leave(self) -> None:
        if self.has_place:
            self.has_place = False
            self.connection_limit.wake(self)
            self.connection_limit.leave(self.host)


def _ends_connection(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    return any(name.lower() == b"connection" and value.strip().lower() == b"close" for name, value in headers)


def _asks_for_websocket(headers: Sequence[tuple[bytes, bytes]]) -> bool:
    return any(name == b"upgrade" and value.strip().lower() == b"websocket" for name, value in headers)


def _is_handshake(method: bytes, headers: Sequence[tuple[bytes, bytes]]) -> bool:
    """Tell whether the WebSocket protocol will take the head. Source: RFC 6455, 4.2.1."""
    names = [name for name, _ in headers]
    found = dict(headers)
    if method != b"GET" or b"transfer-encoding" in names or found.get(b"content-length", b"0").strip() != b"0":
        return False
    if names.count(b"sec-websocket-key") != 1 or names.count(b"sec-websocket-version") != 1:
        return False
    try:
        key = base64.b64decode(found[b"sec-websocket-key"].strip(), validate=True)
    except ValueError:
        return False
    return len(key) == 16 and found[b"sec-websocket-version"].strip() == b"13"


def _full() -> Refusal:
    return Refusal(HTTPStatus.SERVICE_UNAVAILABLE, "Too many connections are open here. Try again shortly.")


def _long_head(bounds: Bounds) -> Refusal:
    sentence = f"The head of a request may have {bounds.head_lines} lines and {bounds.head_bytes} bytes."
    return Refusal(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE, sentence)


def _too_large(most: int) -> Refusal:
    return Refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"The body of a request may have {most} bytes.")


def _encoded(headers: Mapping[str, str]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]


def _answer(refusal: Refusal, default_headers: list[tuple[bytes, bytes]]) -> bytes:
    body = str(refusal).encode()
    lines = [
        f"HTTP/1.1 {refusal.status.value} {refusal.status.phrase}".encode(),
        *(name + b": " + value for name, value in default_headers if name != b"connection"),
        b"content-type: text/plain; charset=utf-8",
        b"content-length: " + str(len(body)).encode(),
        *(f"{name}: {value}".lower().encode() for name, value in STRICT_HEADERS.items()),
        b"cache-control: no-store",
        b"connection: close",
    ]
    if refusal.status is HTTPStatus.SERVICE_UNAVAILABLE:
        lines.append(b"retry-after: " + str(RETRY_SECONDS).encode())
    return b"\r\n".join([*lines, b"", body])
