"""WebSockets with bounds: no compression, small messages, and no sending to who does not read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from uvicorn.protocols.utils import ClientDisconnected
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.frames import CloseCode, Frame

from killreport.answering import STRICT_HEADERS
from killreport.door.bounds import BOUNDS, Bounds
from killreport.door.connection_limit import ConnectionLimit
from killreport.door.writing import ReadOrLeave

# Somewhat above what a message of GraphQL may have, so that this is answered by a sentence and that by a close code.
MAX_MESSAGE_BYTES = 131_072
# Messages that were read and are not worked at yet; nothing more is read until there are none, so they are as many as
# one reading had. A client may well subscribe to all that it wants, which is 200 channels at most, in one breath.
MAX_WAITING = 256
# Parts of one message: empty ones have no size that would bound them.
MAX_FRAGMENTS = 128


class BoundedWebSocket(ReadOrLeave, WebSocketsSansIOProtocol):
    """A connection that ends when it passes a bound."""

    def __init__(self, *args: Any, connection_limit: ConnectionLimit, bounds: Bounds = BOUNDS, **others: Any) -> None:
        super().__init__(*args, **others)
        self.connection_limit = connection_limit
        self.bounds = bounds

    def connection_made(self, transport: Any) -> None:
        """Count it; whether there was room was decided when the request came."""
        super().connection_made(transport)
        self.connection_limit.enter(self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Give the place back."""
        self.connection_limit.leave(self.client[0] if self.client else "")
        self.end_writing_deadline()
        super().connection_lost(exc)

    def handle_parser_exception(self) -> None:
        """End what cannot be read: by a close code, or before the handshake by an answer."""
        if self.conn.close_sent is not None:
            super().handle_parser_exception()
            return
        lines = [f"{name}: {value}\r\n".encode() for name, value in STRICT_HEADERS.items()]
        head = [b"HTTP/1.1 400 Bad Request\r\n", *lines, b"content-length: 0\r\nconnection: close\r\n\r\n"]
        self.transport.write(b"".join(head))
        self.transport.close()

    def handle_ping(self) -> None:
        """Answer, unless answers pile up because nobody reads them."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.transport.abort()

    def handle_cont(self, event: Frame) -> None:
        """Read a further part of a message."""
        if self.close_sent:
            return
        if len(self.frames) >= MAX_FRAGMENTS:
            self._fail(CloseCode.MESSAGE_TOO_BIG, f"A message may come in {MAX_FRAGMENTS} parts.")
            return
        super().handle_cont(event)

    def send_receive_event_to_app(self) -> None:
        """Hand a whole message on."""
        if self.queue.qsize() >= MAX_WAITING and not self.close_sent:
            self._fail(CloseCode.POLICY_VIOLATION, f"At most {MAX_WAITING} messages may wait.")
        if self.curr_msg_data_type == "text" and not self.close_sent and not _is_text(self.frames):
            # Uvicorn would log what a stranger sent as an error of ours.
            self._fail(CloseCode.INVALID_DATA, "That is not UTF-8.")
        super().send_receive_event_to_app()

    async def send(self, message: Any) -> None:
        """Send what the application says, while somebody may hear it; the application's own close is its last word."""
        if self.close_sent:
            raise ClientDisconnected
        await super().send(message)

    def _fail(self, code: CloseCode, reason: str) -> None:
        self.conn.fail(code, reason)
        self.transport.write(b"".join(self.conn.data_to_send()))
        self.close_sent = True
        self.transport.close()


def _is_text(frames: Sequence[bytes]) -> bool:
    try:
        b"".join(frames).decode()
    except UnicodeDecodeError:
        return False
    return True
