"""The one HTTP client for the outside: says who we are, asks politely, limits time and size, raises typed errors."""

from __future__ import annotations

import asyncio
import os
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from urllib.parse import urljoin, urlsplit

import aiohttp

from killreport import __version__
from killreport.clock import monotonic, read_http_date, utc_now
from killreport.config import Settings
from killreport.errors import CutShort, HostAway, Malformed, NotFound, Refused, Transient, Unavailable

TIMEOUT = aiohttp.ClientTimeout(total=None, connect=10, sock_connect=10, sock_read=30)
# After unpacking. The largest killmail known is 0.7 MB, a day's list of ids and hashes 2 MB.
MAX_BODY_BYTES = 16 * 2**20
# Of what is read a piece at a time: CCP's archive is below 100 MB, a day of killmails some 250 MB.
MAX_STREAM_BYTES = 2**30
STREAM_TIMEOUT_SECONDS = 3600
REDIRECTS = (301, 302, 303, 307, 308)
MAX_REDIRECTS = 5
# A whole body must arrive within this time; a streamed one only has to keep moving.
BODY_TIMEOUT_SECONDS = 60
CHUNK_BYTES = 2**18
MAX_RETRY_AFTER_SECONDS = 3600.0

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
        self._waiting = asyncio.Lock()

    async def turn(self) -> None:
        """Wait until the next request may start. Turns are given in the order of asking."""
        # One at a time, and taken when it comes: whoever gives up waiting leaves no turn unused behind.
        async with self._waiting:
            now = self._clock()
            mine = max(now, self._free_at)
            if mine > now:
                await self._sleep(mine - now)
            self._free_at = mine + self._interval


class HttpClient:
    """GET for one host, or several that share a budget; each request waits for its turn."""

    def __init__(self, session: aiohttp.ClientSession, pacer: Pacer, *, max_bytes: int = MAX_BODY_BYTES) -> None:
        self._session = session
        self._pacer = pacer
        self._max_bytes = max_bytes

    async def get(self, url: str, params: Mapping[str, str] | None = None) -> bytes:
        """Return the whole body of a 2xx answer.

        Raises NotFound (404), Transient with the seconds to wait where told (429, 420), Refused (other 4xx),
        CutShort (a body cut short, or one that cannot be unpacked), HostAway (5xx, time-out, no connection),
        Unavailable (a redirect to another host), Malformed (a body above the limit).
        """
        try:
            async with asyncio.timeout(BODY_TIMEOUT_SECONDS), self._answer(url, params) as response:
                return await read_body(response, self._max_bytes)
        except TimeoutError:
            raise HostAway(f"{_host(url)} did not send its answer in {BODY_TIMEOUT_SECONDS} s.") from None

    async def stream(self, url: str, *, max_bytes: int = MAX_STREAM_BYTES) -> AsyncIterator[bytes]:
        """Yield the body of a 2xx answer in pieces. Raises like `get`, at any piece."""
        give_up_at = monotonic() + STREAM_TIMEOUT_SECONDS
        async with self._answer(url, None) as response:
            async for piece in _pieces(response, max_bytes):
                if monotonic() > give_up_at:
                    raise HostAway(f"{_host(url)} did not send its answer in {STREAM_TIMEOUT_SECONDS} s.")
                yield piece

    @asynccontextmanager
    async def _answer(self, url: str, params: Mapping[str, str] | None) -> AsyncIterator[aiohttp.ClientResponse]:
        try:
            async with AsyncExitStack() as opened:
                response = await self._ask(opened, url, params)
                for _ in range(MAX_REDIRECTS):
                    if response.status not in REDIRECTS:
                        break
                    response = await self._ask(opened, redirect_of(response), None)
                _check(response)
                yield response
        except aiohttp.ClientResponseError as error:
            # It came, and its head cannot be read, or names a coding that we did not ask for: it is not away.
            raise CutShort(f"{_host(url)} sent an answer that cannot be read.") from error
        except (aiohttp.ClientError, OSError) as error:
            # TimeoutError is an OSError: the time-outs of the connection and of each read end here too.
            raise HostAway(f"{_host(url)} does not answer ({reason_of(error)}).") from error

    async def _ask(self, opened: AsyncExitStack, url: str, params: Mapping[str, str] | None) -> aiohttp.ClientResponse:
        await self._pacer.turn()
        return await opened.enter_async_context(self._session.get(url, params=params, allow_redirects=False))


async def read_body(response: aiohttp.ClientResponse, max_bytes: int = MAX_BODY_BYTES) -> bytes:
    """Return the body of an answer, unpacked. Raises Malformed where it is larger, CutShort where it is not whole."""
    body = bytearray()
    async for piece in _pieces(response, max_bytes):
        body += piece
    return bytes(body)


async def _pieces(response: aiohttp.ClientResponse, max_bytes: int) -> AsyncIterator[bytes]:
    """Yield a body as it is unpacked: never much more of it is in memory than a piece, whatever it unpacks to."""
    size = 0
    try:
        async for piece in response.content.iter_chunked(CHUNK_BYTES):
            size += len(piece)
            if size > max_bytes:
                raise Malformed(f"the body is larger than {max_bytes} bytes")
            yield piece
    except (aiohttp.ClientPayloadError, aiohttp.http_exceptions.PayloadEncodingError) as error:
        raise CutShort(f"{response.url.host} sent an answer that is cut short or cannot be unpacked.") from error


def redirect_of(response: aiohttp.ClientResponse) -> str:
    """Return where an answer sends us, on the same host. Raises Unavailable for any other place.

    Whoever can have a host answer with a redirect could have us ask anything of the network we are in.
    """
    here, there = str(response.url), response.headers.get("Location", "")
    try:
        there = urljoin(here, there)
        is_same = _place(there) in (_place(here), ("https", response.url.host, 443))
    except ValueError:
        is_same = False
    if not is_same or not response.headers.get("Location"):
        raise Unavailable(
            f"{_host(here)} redirects to {there[:200]!r}, another host, which is not followed; "
            "if that is intended, set the address in the settings."
        )
    return there


def _place(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port or {"http": 80, "https": 443}.get(parts.scheme)


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
    if status in REDIRECTS:
        raise Unavailable(f"{response.url.host} redirects more than {MAX_REDIRECTS} times.")
    if status < 400:
        return
    sentence = f"{response.url.host} answered {status} to {response.url.path}."
    if status == 404:
        raise NotFound(sentence)
    if status in (420, 429):
        raise Transient(sentence, retry_after(response.headers))
    if status >= 500:
        raise HostAway(sentence)
    raise Refused(sentence)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Return the seconds a 429 or 420 asks to wait, at most an hour; None where it does not say or cannot be read."""
    text = headers.get("Retry-After") or headers.get("X-ESI-Error-Limit-Reset")
    if text is None:
        return None
    if text.isascii() and text.strip().isdigit():
        seconds = float(text)
    elif (moment := read_http_date(text)) is not None:
        seconds = (moment - utc_now()).total_seconds()
    else:
        return None
    return min(max(seconds, 0.0), MAX_RETRY_AFTER_SECONDS)


def reason_of(error: Exception) -> str:
    """Return in words why there was no answer."""
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        # Its number is one of getaddrinfo's, of which strerror knows nothing.
        waits = error.errno == socket.EAI_AGAIN
        return "the name server does not answer" if waits else "name not found"
    if isinstance(error, aiohttp.ClientSSLError):
        return "its certificate is not accepted"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    if isinstance(error, TimeoutError):
        return "it took too long"
    return "the connection broke off"


def _host(url: str) -> str:
    return url.split("/", 3)[2]
