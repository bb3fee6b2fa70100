"""A connection to RabbitMQ: the client's side of AMQP 0-9-1, as far as it is needed here. `pamqp` is the codec."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
import struct
from typing import cast

from pamqp import commands, frame, header
from pamqp.common import FieldTable
from pamqp.constants import FRAME_HEADER
from pamqp.exceptions import PAMQPException
from pamqp.heartbeat import Heartbeat
from yarl import URL

from killreport.errors import KillreportError, Refused
from killreport.queueing.rabbit_channel import CLOSE_CHANNEL, Channel, Lost

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 3.0
# RabbitMQ's own 60 s would let a cut cable go unnoticed for two minutes.
HEARTBEAT_SECONDS = 10
# Until RabbitMQ says how long a frame may be.
MAX_FRAME = 131_072
# A peer that was silent for so many half heartbeats is gone.
MAX_SILENT = 5

_CAPABILITIES: FieldTable = {
    "authentication_failure_close": True,
    "basic.nack": True,
    "consumer_cancel_notify": True,
    "publisher_confirms": True,
}
# Kind, channel and length of what follows; after that comes one byte more.
_HEAD = struct.Struct(">BHI")
_BODY_SIZE = struct.Struct(">4xQ")
_AROUND = _HEAD.size + 1


async def connect(url: URL, name: str) -> BrokerConnection:
    """Return an open connection. name: shown in RabbitMQ's management. Raises Lost, Refused."""
    connection = BrokerConnection()
    try:
        async with asyncio.timeout(CONNECT_SECONDS):
            loop, context = asyncio.get_running_loop(), _tls(url) if url.scheme == "amqps" else None
            await loop.create_connection(lambda: connection, str(url.host), url.port or 5672, ssl=context)
            await connection.open(url, name)
    except BaseException as error:
        connection.end(0, "it could not be opened")
        if isinstance(error, OSError):  # a time-out too
            raise Lost(error.strerror or str(error) or "it does not answer") from None
        raise
    return connection


class BrokerConnection(asyncio.Protocol):
    """Made by `connect`."""

    def __init__(self) -> None:
        self._longest_body = MAX_FRAME - _AROUND
        self._channels: list[Channel] = []
        self._control = self._add_channel()
        self._transport: asyncio.Transport | None = None
        self._came = b""
        self._to_write: list[bytes] = []
        self._silent = 0
        self._beating: asyncio.TimerHandle | None = None

    @property
    def is_open(self) -> bool:
        """Return whether it can be used."""
        return self._control.is_open

    async def open(self, url: URL, name: str) -> None:
        """Introduce ourselves. Raises Lost, Refused."""
        self.write(header.ProtocolHeader().marshal())
        await self._control.ask(None, commands.Connection.Start)
        user, password = url.user or "guest", url.password or "guest"
        hello = commands.Connection.StartOk(
            {"connection_name": name, "product": "killreport", "capabilities": _CAPABILITIES},
            mechanism="PLAIN",
            response=f"\0{user}\0{password}",
            locale="en_US",
        )
        try:
            tune = await self._control.ask(hello, commands.Connection.Tune)
        except Refused:
            raise Refused("RabbitMQ refuses the user or the password of KILLREPORT_BROKER_URL.") from None
        heartbeat = int(url.query.get("heartbeat", HEARTBEAT_SECONDS))
        longest = tune.frame_max or MAX_FRAME
        self._longest_body = longest - _AROUND
        self._control.send(commands.Connection.TuneOk(tune.channel_max, longest, heartbeat))
        host = url.path.removeprefix("/").replace("%2F", "/") or "/"
        await self._control.ask(commands.Connection.Open(host), commands.Connection.OpenOk)
        if heartbeat:
            self._beat(heartbeat / 2)

    async def channel(self) -> Channel:
        """Open a channel. Raises Lost."""
        self._control.check()
        channel = self._add_channel()
        try:
            await channel.ask(commands.Channel.Open(), commands.Channel.OpenOk)
        except BaseException:
            channel.send(CLOSE_CHANNEL)  # or RabbitMQ would keep it
            raise
        return channel

    def _add_channel(self) -> Channel:
        """Make a channel of the first number that no open one has."""
        numbers = (number for number, channel in enumerate(self._channels) if not channel.is_open)
        number = next(numbers, len(self._channels))
        channel = Channel(number, self._longest_body, self.write, self.end)
        self._channels[number : number + 1] = [channel]
        return channel

    async def close(self) -> None:
        """Close it; one that is gone already, or does not answer, is as good as closed."""
        with contextlib.suppress(Lost, KillreportError, TimeoutError):
            async with asyncio.timeout(CLOSE_SECONDS):
                await self._control.ask(commands.Connection.Close(200, "", 0, 0), commands.Connection.CloseOk)
        self.end(0, "the connection was closed")

    def write(self, data: bytes) -> None:
        """Write soon, together with what else is written in this turn of the loop."""
        if not self._to_write:
            asyncio.get_running_loop().call_soon(self._flush)
        self._to_write.append(data)

    def end(self, code: int, why: str) -> None:
        """Note that it is lost, drop it, and tell whoever waits."""
        for channel in self._channels:
            channel.end(code, why)
        if self._beating is not None:
            self._beating.cancel()
        if self._transport is not None:
            self._transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Remember the way out."""
        # By its methods it is one, which the loops do not all say by its type.
        self._transport = cast(asyncio.Transport, transport)

    def connection_lost(self, exc: Exception | None) -> None:
        """Note that the socket is closed."""
        self.end(0, str(exc or "the connection was lost"))

    def data_received(self, data: bytes) -> None:
        """Take whole frames apart and keep the rest."""
        self._silent = 0
        data, start = self._came + data, 0
        try:
            while len(data) - start >= _AROUND:
                _, number, length = _HEAD.unpack_from(data, start)
                if length > self._longest_body:
                    raise PAMQPException("a frame that is too long")
                end = start + length + _AROUND
                if end > len(data):
                    break
                self._receive(number, _read(data[start:end]))
                start = end
        except PAMQPException as error:
            self.end(0, f"it sent what is no AMQP: {error}")
        self._came = data[start:]

    def _receive(self, number: int, found: frame.FrameTypes) -> None:
        match found:
            case commands.Connection.Close():
                code, why = found.reply_code or 0, found.reply_text or ""
                self._control.send(commands.Connection.CloseOk())
                self._flush()
                self.end(code, why)
            case _ if number < len(self._channels):
                self._channels[number].receive(found)

    def _flush(self) -> None:
        data = b"".join(self._to_write)
        self._to_write.clear()
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(data)

    def _beat(self, seconds: float) -> None:
        self._silent += 1
        if self._silent > MAX_SILENT:
            self.end(0, "it fell silent")
            return
        self.write(Heartbeat().marshal())
        self._beating = asyncio.get_running_loop().call_later(seconds, self._beat, seconds)


def _read(data: bytes) -> frame.FrameTypes:
    """Return the frame that the bytes are. Raises PAMQPException."""
    try:
        return frame.unmarshal(data)[2]
    except Exception as error:  # whatever the properties of a message do to the codec: anybody may publish
        if data[0] != FRAME_HEADER:
            raise PAMQPException(str(error)) from None
        return header.ContentHeader(body_size=_BODY_SIZE.unpack_from(data, _HEAD.size)[0])


def _tls(url: URL) -> ssl.SSLContext:
    query = url.query
    context = ssl.create_default_context(cafile=query.get("cafile"), capath=query.get("capath"))
    if "certfile" in query:
        context.load_cert_chain(query["certfile"], query.get("keyfile"))
    if query.get("no_verify_ssl", "0") != "0":
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context
