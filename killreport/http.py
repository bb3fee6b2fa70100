"""The one HTTP client for the outside: says who we are, asks politely, limits time and size, raises typed errors."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime

import aiohttp

from killreport import __version__
from killreport.clock import monotonic, utc_now
from killreport.config import Settings
from killreport.errors import Malformed, NotFound, Refused, Transient, Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_connect=10, sock_read=30)
# The largest killmail known is 0.7 MB, a day's list of ids and hashes 2 MB.
MOST_BODY_BYTES = 32 * 2**20
# A whole body must arrive within this time; a streamed one only has to keep moving.
BODY_TIMEOUT_SECONDS = 60
CHUNK_BYTES = 2**18
LONGEST_RETRY_AFTER_SECONDS = 3600.0

Sleep = Callable[[float], Awaitable[None]]


class Pacer:
    """Keeps requests at least an interval apart, whoever makes them."""

    def __init__(
        self, per_second: float, *, clock: Callable[[], float] = monotonic, sleep: Sleep = asyncio.sleep
    ) -> None:
        self._interval = 1 / per_second
        self._clock = clock
        self._sleep = sleep
        self._free_at = 0.0

    async def turn(self) -> None:
        """Wait until the next request may start. Turns are given in the order of asking."""
        now = self._clock()
        mine = max(now, self._free_at)
        self._free_at = mine + self._interval
        if mine > now:
            await self._sleep(mine - now)


class HttpClient:
    """GET for one host, or several that share a budget; each request waits for its turn."""

    def __init__(self, session: aiohttp.ClientSession, pacer: Pacer, *, most_bytes: int = MOST_BODY_BYTES) -> None:
        self._session = session
        self._pacer = pacer
        self._most_bytes = most_bytes

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the whole body of a 2xx answer.

        Raises NotFound (404), Transient with the seconds to wait where told (429, 420), Refused (other 4xx),
        Unavailable (5xx, time-out, no connection, a body cut short), Malformed (a body above the limit).
        """
        body = bytearray()
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS), self._answer(url, params) as response:
                async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                    body += chunk
                    if len(body) > self._most_bytes:
                        raise Malformed(f"the body is larger than {self._most_bytes} bytes")
        except TimeoutError:
            raise Unavailable(f"{_host(url)} did not send its answer in {BODY_TIMEOUT_SECONDS} s.") from None
        return bytes(body)

    async def stream(self, url: str) -> AsyncIterator[bytes]:
        """Yield the body of a 2xx answer in pieces, of any total size. Raises like `get`, at any piece."""
        async with self._answer(url, None) as response:
            async for chunk in response.content.iter_chunked(CHUNK_BYTES):
                yield chunk

    @asynccontextmanager
    async def _answer(self, url: str, params: Mapping[str, str] | None) -> AsyncIterator[aiohttp.ClientResponse]:
        await self._pacer.turn()
        try:
            async with self._session.get(url, params=params) as response:
                _check(response)
                yield response
        except (aiohttp.ClientError, OSError) as error:
            # TimeoutError is an OSError: the time-outs of the connection and of each read end here too.
            raise Unavailable(f"{_host(url)} does not answer ({_reason(error)}).") from error


@asynccontextmanager
async def open_session(settings: Settings) -> AsyncIterator[aiohttp.ClientSession]:
    """Lend a session with our User-Agent, gzip and time-outs."""
    headers = {"User-Agent": user_agent(settings.contact), "Accept-Encoding": "gzip", "Accept": "application/json"}
    async with aiohttp.ClientSession(headers=headers, timeout=TIMEOUT, trust_env=True) as session:
        yield session


def user_agent(contact: str) -> str:
    """Return what we call ourselves; contact is an e-mail or URL, or empty."""
    name = f"killreport/{__version__}"
    return f"{name} (+{contact})" if contact else name


def _check(response: aiohttp.ClientResponse) -> None:
    status = response.status
    if status < 400:
        return
    sentence = f"{response.url.host} answered {status} to {response.url.path}."
    if status == 404:
        raise NotFound(sentence)
    if status in (420, 429):
        raise Transient(sentence, retry_after(response.headers))
    if status >= 500:
        raise Unavailable(sentence)
    raise Refused(sentence)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a 429 or 420 asks to wait, at most an hour; None where it does not say or cannot be read."""
    text = headers.get("Retry-After") or headers.get("X-ESI-Error-Limit-Reset")
    if text is None:
        return None
    try:
        seconds = float(text) if text.strip().isdigit() else (parsedate_to_datetime(text) - utc_now()).total_seconds()
    except (TypeError, ValueError):
        return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_SECONDS)


def _reason(error: Exception) -> str:
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    if isinstance(error, TimeoutError):
        return "it took too long"
    return "the connection broke off"


def _host(url: str) -> str:
    return url.split("/", 3)[2]
