"""A connection to RabbitMQ that is made when it is needed and made anew when it is lost."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress

import structlog
from aiormq import exceptions
from aiormq.abc import AbstractChannel
from aiormq.connection import Connection, FrameReceiver
from pamqp import commands, frame
from pamqp.base import Frame
from pamqp.frame import FrameTypes
from yarl import URL

from killreport.errors import BadSetting, Conflict, Refused, Unavailable

CONNECT_SECONDS = 10.0
CLOSE_SECONDS = 3.0
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0
# aiormq gives a silent peer three of these; with RabbitMQ's own 60 s a cut cable would be noticed after three minutes.
HEARTBEAT_SECONDS = 10
# Reply codes of AMQP 0-9-1.
ACCESS_REFUSED = 403
NOT_ALLOWED = 530

log = structlog.get_logger()


class Lost(Exception):
    """The channel or its connection is gone. Internal: callers see Unavailable, or nothing when it comes back."""


class Link:
    """One connection. address: where RabbitMQ is, without the password, for messages."""

    def __init__(self, url: URL, name: str, patience_seconds: float) -> None:
        self._url = url.update_query(heartbeat=url.query.get("heartbeat", str(HEARTBEAT_SECONDS)))
        self._name = name
        self._connecting = asyncio.Lock()
        self._connection: Connection | None = None
        self.patience_seconds = patience_seconds
        self.address = f"{url.host}:{url.port}"

    async def connection(self) -> Connection:
        """Return the open connection; waits for RabbitMQ as long as there is patience, then raises Unavailable.

        Raises Refused at once where RabbitMQ does not let this user in.
        """
        loop = asyncio.get_running_loop()
        give_up_at = loop.time() + self.patience_seconds
        pause = FIRST_PAUSE_SECONDS
        async with self._connecting:
            while self._connection is None or not self._connection.is_opened:
                try:
                    self._connection = await self._connect()
                except Lost as error:
                    if loop.time() + pause > give_up_at:
                        raise Unavailable(f"RabbitMQ at {self.address} does not answer: {error}.") from None
                    log.warning("rabbitmq_connect_failed", address=self.address, reason=str(error), retry_seconds=pause)
                    await asyncio.sleep(pause)
                    pause = min(pause * 2, MAX_PAUSE_SECONDS)
            return self._connection

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[AbstractChannel]:
        """Lend a channel without confirms. Raises Unavailable, and Lost where RabbitMQ goes away meanwhile."""
        connection = await self.connection()
        with telling_loss():
            channel = await connection.channel(publisher_confirms=False, timeout=CONNECT_SECONDS)
            try:
                yield channel
            finally:
                await close_quietly(channel)

    async def close(self) -> None:
        """Close the connection; a later use makes a new one."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await close_quietly(connection)

    async def _connect(self) -> Connection:
        connection = _Connection(self._url, client_properties={"connection_name": self._name})
        try:
            with telling_loss():
                async with asyncio.timeout(CONNECT_SECONDS):
                    await connection.connect()
        except BaseException:
            await close_quietly(connection)
            raise
        return connection


class _Connection(Connection):
    """aiormq's, which says why RabbitMQ closes a connection that is being opened: a virtual host that is not there."""

    @staticmethod
    async def _rpc(
        request: Frame, writer: asyncio.StreamWriter, frame_receiver: FrameReceiver, wait_response: bool = True
    ) -> FrameTypes | None:
        writer.write(frame.marshal(request, 0))
        await writer.drain()
        if not wait_response:
            return None
        _, _, answer = await frame_receiver.get_frame()
        if isinstance(answer, commands.Connection.Close):
            if answer.reply_code == ACCESS_REFUSED:
                raise exceptions.ProbableAuthenticationError(answer.reply_text)
            if answer.reply_code == NOT_ALLOWED:
                raise exceptions.ConnectionNotAllowed(answer.reply_text)
            raise exceptions.ConnectionClosed(answer.reply_code, answer.reply_text)
        return answer


@contextmanager
def telling_loss() -> Iterator[None]:
    """Turn what aiormq raises when something is gone into Lost, and what nothing will cure into Refused or Conflict."""
    try:
        yield
    except asyncio.CancelledError:
        # aiormq cancels whoever waits on a connection that breaks. Only a cancellation of this task gets through.
        task = asyncio.current_task()
        if task is None or task.cancelling():
            raise
        raise Lost("the connection was lost") from None
    except (exceptions.ProbableAuthenticationError, exceptions.AuthenticationError):
        raise Refused("RabbitMQ refuses the user or the password of KILLREPORT_BROKER_URL.") from None
    except (exceptions.ChannelAccessRefused, exceptions.ConnectionNotAllowed) as error:
        raise Refused(f"RabbitMQ refuses what KILLREPORT_BROKER_URL asks for: {_words(error)}.") from None
    except exceptions.ChannelLockedResource as error:
        raise Conflict(f"Somebody else uses the queue alone: {_words(error)}.") from None
    except socket.gaierror as error:
        raise Lost(str(error.strerror)) from None
    except (exceptions.AMQPError, exceptions.ChannelInvalidStateError, OSError, EOFError) as error:
        raise Lost(_words(error)) from None


async def close_quietly(what: AbstractChannel | Connection) -> None:
    """Close a channel or connection; one that is gone already, or does not answer, is as good as closed."""
    with suppress(Exception), telling_loss():
        async with asyncio.timeout(CLOSE_SECONDS):
            await what.close()


def read_url(text: str) -> URL:
    """Return the URL with its port. Raises BadSetting, without a word of the URL, which holds a password."""
    try:
        url = URL(text)
        port = url.port or (5671 if url.scheme == "amqps" else 5672)
        if not url.host:
            raise ValueError
        url = url.with_port(port)
    except ValueError:
        raise BadSetting(
            "KILLREPORT_BROKER_URL cannot be used: it must look like amqp://user:password@host:port/vhost."
        ) from None
    return url


def quiet_aiormq() -> None:
    """Keep aiormq from logging: what it says about lost connections is said here, in one line."""
    logging.getLogger("aiormq").setLevel(logging.CRITICAL)


def _words(error: BaseException) -> str:
    text = " ".join(str(argument) for argument in error.args if argument is not None) or type(error).__name__
    return " ".join(text.split()).rstrip(".")
