"""Listening to notifications, over a connection that belongs to the listener and comes back when it breaks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress

import structlog

from killreport.backoff import Backoff
from killreport.clock import monotonic
from killreport.db.connection import connect
from killreport.db.database import DATABASE_ERRORS, Connection, Database, away_sentence

FIRST_PAUSE_SECONDS = 0.1
MAX_PAUSE_SECONDS = 5.0
# A peer that vanished without a word (a pulled cable, a firewall that forgets) is noticed by asking.
SILENCE_SECONDS = 30.0
ANSWER_SECONDS = 10.0
# The server, too, ends a session that does not ask any more; what it tells by itself does not count.
SESSION = {"idle_session_timeout": "120s"}

_log = structlog.get_logger()


async def listen(database: Database, channel: str) -> AsyncGenerator[str, None]:
    """Yield the payload of every notification on the channel, and "" after each connect, for ever.

    The empty one says that notifications may have been missed: whoever follows a table reads it again then. A lost
    connection is made anew, after 0.1 s and then twice as long each time up to 5 s. Closing the generator closes it.
    """
    backoff = Backoff(FIRST_PAUSE_SECONDS, MAX_PAUSE_SECONDS)
    while True:
        try:
            connection = await connect(database.url, f"listen {channel}", seconds=ANSWER_SECONDS, session=SESSION)
        except DATABASE_ERRORS as error:
            pause = backoff.next()
            _log.warning("listen_connect_failed", channel=channel, error=away_sentence(error), retry_seconds=pause)
            await asyncio.sleep(pause)
            continue
        try:
            messages = await _subscribe(connection, channel)
            if messages is not None:
                yield ""
                backoff.reset()
                asking = _Asking(connection, messages)
                while (payload := await asking.next_payload()) is not None:
                    yield payload
        finally:
            # Not `close`, which would wait for the peer: it may be gone, or we be cancelled.
            connection.terminate()
        await database.doubt()
        pause = backoff.next()
        _log.warning("listen_connection_lost", channel=channel, retry_seconds=pause)
        await asyncio.sleep(pause)


async def _subscribe(connection: Connection, channel: str) -> asyncio.Queue[str | None] | None:
    """Start listening and return where payloads arrive, None in it for the end; None where the connection broke."""
    messages: asyncio.Queue[str | None] = asyncio.Queue()
    connection.add_termination_listener(lambda _connection: messages.put_nowait(None))
    try:
        await connection.add_listener(channel, lambda _connection, _pid, _channel, text: messages.put_nowait(text))
    except DATABASE_ERRORS:
        return None
    return messages


class _Asking:
    """Asks the server now and then whether it is there, however much it says: it ends a session that never asks."""

    def __init__(self, connection: Connection, messages: asyncio.Queue[str | None]) -> None:
        self._connection = connection
        self._messages = messages
        self._asked_at = monotonic()

    async def next_payload(self) -> str | None:
        """Return the next payload, None once the connection is lost."""
        while True:
            left = self._asked_at + SILENCE_SECONDS - monotonic()
            if left > 0:
                with suppress(TimeoutError):
                    async with asyncio.timeout(left):
                        return await self._messages.get()
            try:
                await self._connection.execute("select 1")
            except DATABASE_ERRORS:
                return None
            self._asked_at = monotonic()
