"""Events between processes: over Redis where one is configured, else over the database's own notifications.

An event wakes, and is not the news itself: its payload is an id, and whoever missed one reads the table again. So a
publisher waits for nobody, and a subscriber that cannot keep up is told "" once instead of a thousand payloads.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from typing import Any, Protocol

import structlog

from killreport.background import racing
from killreport.backoff import Backoff
from killreport.config import Settings
from killreport.db.connection import keepalive_options
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.db.listen import listen

# So many payloads a subscriber may leave unread.
MAX_UNREAD = 1000
PREFIX = "killreport"
# The id of each event of stored or changed killmails, after its commit.
KILLMAIL_CHANNEL = "killmail"
# Characters, corporations and alliances of which something else is stored than before (`coordination.entity_events`).
ENTITY_CHANNEL = "entity"
FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0
# A Redis that vanished without a word (a pulled cable, a firewall that forgets) is noticed by asking.
SILENCE_SECONDS = 15.0
ANSWER_SECONDS = 5.0

log = structlog.get_logger()


class Events(Protocol):
    """Either transport."""

    async def publish(self, channel: str, payload: str) -> None:
        """Wake whoever subscribed. Never raises for a transport that is away: that is logged."""

    def subscribe(self, channel: str) -> AsyncGenerator[str, None]:
        """Yield payloads for ever, and "" after each (re)connect and where some were dropped."""


class DatabaseEvents:
    """Events over LISTEN and NOTIFY."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def publish(self, channel: str, payload: str) -> None:
        """See `Events`."""
        try:
            async with self._database.connection() as connection:
                await connection.execute("select pg_notify($1, $2)", f"{PREFIX}_{channel}", payload)
        except DATABASE_ERRORS as error:
            log.warning("event_not_told", channel=channel, reason=str(error))

    def subscribe(self, channel: str) -> AsyncGenerator[str, None]:
        """See `Events`."""
        return _unhurried(listen(self._database, f"{PREFIX}_{channel}"))


class RedisEvents:
    """Events over Redis. name: of the installation, which may share its Redis with others."""

    def __init__(self, url: str, name: str) -> None:
        import redis.asyncio  # noqa: PLC0415 - 47 MB that only an installation with a Redis pays
        from redis.exceptions import RedisError  # noqa: PLC0415

        self._errors: tuple[type[Exception], ...] = (RedisError, OSError)
        self._name = name
        self._client: Any = redis.asyncio.Redis.from_url(url, **socket_options(ANSWER_SECONDS))

    async def publish(self, channel: str, payload: str) -> None:
        """See `Events`."""
        try:
            await self._client.publish(f"{PREFIX}:{self._name}:{channel}", payload)
        except self._errors as error:
            log.warning("event_not_told", channel=channel, reason=type(error).__name__)

    def subscribe(self, channel: str) -> AsyncGenerator[str, None]:
        """See `Events`."""
        return _unhurried(self._payloads(channel))

    async def _payloads(self, channel: str) -> AsyncGenerator[str, None]:
        backoff = Backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
        while True:
            try:
                async with self._client.pubsub() as subscription:
                    await subscription.subscribe(f"{PREFIX}:{self._name}:{channel}")
                    async for message in self._messages(subscription):
                        if message["type"] == "subscribe":
                            backoff.reset()
                            yield ""
                        elif message["type"] == "message":
                            yield message["data"].decode()
            except self._errors as error:
                log.warning("events_lost", channel=channel, reason=type(error).__name__)
            await asyncio.sleep(backoff.next())

    async def _messages(self, subscription: Any) -> AsyncGenerator[dict[str, Any], None]:
        """Yield what comes, until the server does not answer any more: a silent one is asked, and then has to."""
        while True:
            message = await subscription.get_message(timeout=SILENCE_SECONDS)
            if message is None:
                await subscription.ping()
                message = await subscription.get_message(timeout=ANSWER_SECONDS)
            if message is None:
                log.warning("events_unanswered")
                return
            yield message

    async def close(self) -> None:
        """Give the connections back."""
        await self._client.aclose()


async def _unhurried(payloads: AsyncGenerator[str, None]) -> AsyncGenerator[str, None]:
    """Yield the payloads at the reader's pace; what piles up beyond the limit is replaced by one ""."""
    unread: asyncio.Queue[str | None] = asyncio.Queue()

    async def read() -> None:
        async for payload in payloads:
            if unread.qsize() >= MAX_UNREAD:
                while not unread.empty():
                    unread.get_nowait()
                payload = ""  # noqa: PLW2901 - what was dropped is told in the place of what came
            unread.put_nowait(payload)

    async with aclosing(payloads), racing(read()) as (reading,):
        # What the transport fails with is the reader's to hear: without a word it would wait for ever.
        reading.add_done_callback(lambda _reading: unread.put_nowait(None))
        while (payload := await unread.get()) is not None:
            yield payload
        reading.result()


def socket_options(seconds: float) -> dict[str, Any]:
    """Return how connections to Redis are made: none waits longer than so many seconds for anything."""
    return {
        "socket_connect_timeout": seconds,
        "socket_timeout": seconds,
        "socket_keepalive": True,
        "socket_keepalive_options": keepalive_options(),
        "health_check_interval": SILENCE_SECONDS,
    }


def installation_name(database: Database) -> str:
    """Return a name for the installation that uses this database, without anything secret in it."""
    place = database.url.rsplit("@", 1)[-1]
    return hashlib.sha256(place.encode()).hexdigest()[:12]


@asynccontextmanager
async def open_events(settings: Settings, database: Database) -> AsyncIterator[Events]:
    """Lend the configured transport."""
    if settings.redis_url is None:
        yield DatabaseEvents(database)
        return
    events = RedisEvents(settings.redis_url.get_secret_value(), installation_name(database))
    try:
        yield events
    finally:
        await events.close()
