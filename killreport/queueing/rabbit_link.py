"""A connection to RabbitMQ that is made when it is needed and made anew when it is lost."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

import structlog
from yarl import URL

from killreport.backoff import Backoff
from killreport.clock import monotonic
from killreport.errors import BadSetting, KillreportError, Unavailable
from killreport.queueing.rabbit_channel import Channel, Lost
from killreport.queueing.rabbit_connection import HEARTBEAT_SECONDS, BrokerConnection, connect

FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0

T = TypeVar("T")

log = structlog.get_logger()


class Link:
    """One connection, and how long a RabbitMQ that is away is waited for."""

    def __init__(self, url: URL, patience_seconds: float) -> None:
        self._url = url
        self._connecting = asyncio.Lock()
        self._connection: BrokerConnection | None = None
        self.patience_seconds = patience_seconds

    async def connection(self) -> BrokerConnection:
        """Return the open connection. Raises Lost, and Refused where RabbitMQ does not let this user in."""
        async with self._connecting:
            if self._connection is None or not self._connection.is_open:
                self._connection = await connect(self._url, "killreport")
            return self._connection

    @asynccontextmanager
    async def channel(self) -> AsyncIterator[Channel]:
        """Lend a channel; what is taken there and not acknowledged goes back. Raises Lost, Refused."""
        channel = await (await self.connection()).channel()
        try:
            yield channel
        finally:
            with contextlib.suppress(Lost, KillreportError):
                await channel.close()

    async def patiently(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return what the work returns, done again with growing pauses while it raises Lost.

        Raises Unavailable, without the password, where there is no more patience.
        """
        backoff = Backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
        give_up_at = monotonic() + self.patience_seconds
        while True:
            try:
                return await work()
            except Lost as error:
                pause = backoff.next()
                address = f"{self._url.host}:{self._url.port}"
                if monotonic() + pause > give_up_at:
                    raise Unavailable(f"RabbitMQ at {address} cannot be used: {error}.") from None
                log.warning("rabbitmq_away", address=address, reason=str(error), retry_seconds=pause)
            await asyncio.sleep(pause)

    async def close(self) -> None:
        """Close the connection; a later use makes a new one."""
        if self._connection is not None:
            await self._connection.close()


def read_url(text: str) -> URL:
    """Return the URL with its port. Raises BadSetting, without a word of the URL, which holds a password."""
    try:
        url = URL(text)
        url = url.with_port(url.port or (5671 if url.scheme == "amqps" else 5672))
        url = url.update_query(heartbeat=int(url.query.get("heartbeat", HEARTBEAT_SECONDS)))
        if not url.host:
            raise ValueError
    except ValueError:
        raise BadSetting(
            "KILLREPORT_BROKER_URL cannot be used: it must look like amqp://user:password@host:port/vhost."
        ) from None
    return url
