"""One request to ESI and what its answer means: cache, ETag, budget, limits, retries, typed errors."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

import aiohttp
import structlog

from killreport.backoff import Backoff
from killreport.clock import read_http_date, utc_now
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.decoding import is_json
from killreport.errors import CutShort, Garbled, HostAway, NotFound, Refused, Transient, Unavailable
from killreport.esi.budget import DOWNTIME, EVERYBODY, PROBE_SECONDS, Budget
from killreport.esi.cache import CachedAnswer, find_answer, put_answer
from killreport.esi.canary import CanaryRequest
from killreport.esi.outage import OutageWatch
from killreport.http import MAX_RETRY_AFTER_SECONDS, read_body, reason_of, retry_after

# Answers are shaped as on this day. Source: https://esi.evetech.net/meta/compatibility-dates
COMPATIBILITY_DATE = "2026-09-14"
TRIES = 3
FIRST_PAUSE_SECONDS = 0.3
ANSWER_SECONDS = 30.0
# Of 100 errors a minute; at none left, ESI refuses everything from this address.
MIN_ERRORS_LEFT = 20
MIN_TOKENS_LEFT = 10
DEFAULT_PAUSE_SECONDS = 30.0
# So many failures in a row, of any route, are not chance: the server is away.
FAILURES_OF_DOWNTIME = 8
FRESH_WITHOUT_EXPIRES = timedelta(seconds=60)
# What ESI lets live longest is a killmail, a month. A date beyond everything would be believed for ever.
MAX_FRESH = timedelta(days=40)

_JSON = {"Content-Type": "application/json"}

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Request:
    """One request. kept: the expired answer a 304 would renew. canary: whose answer tells that the route works."""

    route: str
    method: str
    path: str
    headers: Mapping[str, str]
    query: Mapping[str, str] | None = None
    body: bytes | None = None
    kept: CachedAnswer | None = None
    canary: CanaryRequest | None = None

    @property
    def question(self) -> CanaryRequest:
        """What it asks."""
        return CanaryRequest(
            self.path, tuple((self.query or {}).items()), None if self.body is None else self.body.decode()
        )


class Transport:
    """Asks ESI for one process. counts: of requests by route and outcome."""

    def __init__(self, session: aiohttp.ClientSession, base: str, budget: Budget, database: Database) -> None:
        self._session = session
        self._base = base
        self._budget = budget
        self._database = database
        self._outages = OutageWatch(database, budget)
        self._failures = 0
        self._group_of: dict[str, str] = {}
        self.counts: Counter[str] = Counter()

    async def get(
        self,
        route: str,
        path: str,
        *,
        query: Mapping[str, str] | None = None,
        token: str | None = None,
        is_kept: bool = True,
    ) -> CachedAnswer:
        """Return the answer to a GET, from the cache while it is fresh; one that took a token is never kept.

        route: the path with its ids left out, for limits and counts. is_kept: False neither looks into the cache nor
        puts into it. Raises NotFound (404, 410), Refused (other 4xx), Transient (420, 429, 5xx after retries), Garbled
        (never whole), HostAway (no answer, a redirect, downtime), Unavailable (no budget without the database).
        """
        key = path + "".join(f"&{name}={value}" for name, value in sorted((query or {}).items()))
        is_kept = is_kept and not token
        kept = await self._find(key) if is_kept else None
        if kept is not None and kept.expires_at > utc_now():
            self.counts[f"{route} cached"] += 1
            return kept
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if kept is not None and kept.etag:
            headers["If-None-Match"] = kept.etag
        request = _Request(route, "GET", path, headers, query=query, kept=kept)
        answer = await (self._ask(request) if token else self._ask_warily(replace(request, canary=request.question)))
        # What is no JSON would be given out, and be of no use, until it expires.
        if is_kept and is_json(answer.body):
            await self._put(key, answer)
        return answer

    async def post(self, route: str, path: str, body: bytes, canary: bytes) -> bytes:
        """Return the body of the answer to a POST. Raises as `get`.

        canary: the least body that is answered where this one is.
        """
        question = CanaryRequest(path, body=canary.decode())
        return (await self._ask_warily(_Request(route, "POST", path, _JSON, body=body, canary=question))).body

    async def _ask_warily(self, request: _Request) -> CachedAnswer:
        """Ask, and believe a 404 only where the route is not away."""
        await self._outages.admit(request.route)
        try:
            return await self._ask(request)
        except NotFound:
            await self._outages.confirm(request.route, request.question, partial(self._ask_canary, request.route))
            raise

    async def _ask_canary(self, route: str, question: CanaryRequest) -> bool:
        body = None if question.body is None else question.body.encode()
        method, headers = ("GET", {}) if body is None else ("POST", _JSON)
        request = _Request(route, method, question.path, headers, dict(question.query), body, canary=question)
        try:
            await self._ask(request)
        except NotFound:
            return False
        return True

    async def _find(self, key: str) -> CachedAnswer | None:
        try:
            return await find_answer(self._database, key)
        except DATABASE_ERRORS as error:
            raise Unavailable(f"The cache of ESI's answers cannot be read: {error}") from error

    async def _put(self, key: str, answer: CachedAnswer) -> None:
        try:
            await put_answer(self._database, key, answer)
        except DATABASE_ERRORS as error:
            log.warning("esi_cache_trouble", reason=str(error))

    async def _ask(self, request: _Request) -> CachedAnswer:
        jitter = partial(random.uniform, 0.5, 1.5)
        backoff = Backoff(FIRST_PAUSE_SECONDS, jitter=jitter)
        for left in reversed(range(TRIES)):
            await self._turn(request.route)
            try:
                return await self._send(request)
            except (Unavailable, Transient) as error:
                if not left or (isinstance(error, Transient) and error.retry_after is not None):
                    raise
            await asyncio.sleep(backoff.next())
        raise AssertionError  # the last try returns or raises

    async def _turn(self, route: str) -> None:
        scopes = (route, self._group_of.get(route, route))
        try:
            await self._budget.turn(*scopes)
        except Unavailable:
            # Either the downtime lasts, or it is for us to find out.
            if not await self._is_over():
                raise
            await self._budget.turn(*scopes)

    async def _is_over(self) -> bool:
        try:
            if not await self._budget.may_probe():
                return False
            timeout = aiohttp.ClientTimeout(total=PROBE_SECONDS / 2)
            async with self._session.get(f"{self._base}/status", timeout=timeout, allow_redirects=False) as response:
                is_over = response.status == 200
            if is_over:
                await self._budget.end_pause()
                self._failures = 0
        except (aiohttp.ClientError, OSError, *DATABASE_ERRORS):
            return False
        log.info("esi_probed", is_over=is_over)
        return is_over

    async def _send(self, request: _Request) -> CachedAnswer:
        route, path, kept = request.route, request.path, request.kept
        sent_at = self._outages.now()
        try:
            async with (
                asyncio.timeout(ANSWER_SECONDS),
                self._session.request(
                    request.method,
                    self._base + path,
                    params=request.query,
                    data=request.body,
                    headers=request.headers,
                    allow_redirects=False,
                ) as response,
            ):
                content = await read_body(response)
        except CutShort as error:
            # Counted, unlike a server that is away: this one answer may never come whole.
            self.counts[f"{route} cut short"] += 1
            raise Garbled(str(error)) from error
        except aiohttp.ClientResponseError as error:
            # Its head cannot be read; like one that is cut short.
            self.counts[f"{route} cut short"] += 1
            raise Garbled(f"ESI sent an answer to {path} that cannot be read.") from error
        except (aiohttp.ClientError, OSError) as error:
            self.counts[f"{route} failed"] += 1
            await self._note_failure()
            raise HostAway(f"ESI does not answer to {path} ({reason_of(error)}).") from error
        self.counts[f"{route} {response.status}"] += 1
        await self._obey(route, response)
        if response.status >= 500:
            await self._note_failure()
            raise Transient(f"ESI answered {response.status} to {path}.")
        self._failures = 0
        if request.canary is not None and (response.status < 300 or response.status == 304):
            await self._outages.note_answer(route, request.canary, sent_at)
        if response.status == 304 and kept is not None:
            return replace(kept, expires_at=_expires_at(response.headers))
        _check(response.status, path)
        return CachedAnswer(
            content,
            response.headers.get("ETag"),
            _number(response.headers, "X-Pages", 1),
            response.headers.get("Last-Modified"),
            _expires_at(response.headers),
        )

    async def _note_failure(self) -> None:
        self._failures += 1
        if self._failures >= FAILURES_OF_DOWNTIME:
            log.warning("esi_away", failures=self._failures)
            await self._budget.pause(DOWNTIME, PROBE_SECONDS, f"{self._failures} failures in a row")

    async def _obey(self, route: str, response: aiohttp.ClientResponse) -> None:
        """Pause where ESI's headers say so; raises Transient for an answer that was a refusal for now."""
        headers = response.headers
        group = headers.get("X-Ratelimit-Group")
        if group and self._group_of.get(route) != group and await self._budget.learn(route, group):
            self._group_of[route] = group
        if response.status in (420, 429):
            seconds = retry_after(headers) or DEFAULT_PAUSE_SECONDS
            await self._budget.pause(EVERYBODY if response.status == 420 else group or route, seconds, "told to wait")
            raise Transient(f"ESI answered {response.status}; it asks us to back off for {seconds:.0f} s.", seconds)
        if _number(headers, "X-ESI-Error-Limit-Remain", 100) < MIN_ERRORS_LEFT:
            seconds = min(float(_number(headers, "X-ESI-Error-Limit-Reset", 60)), MAX_RETRY_AFTER_SECONDS)
            await self._budget.pause(EVERYBODY, seconds, "few errors left")
        if group and _number(headers, "X-Ratelimit-Remaining", 1000) < MIN_TOKENS_LEFT:
            # The window floats: a minute gives back a fifteenth of the tokens.
            await self._budget.pause(group, 60.0, "few tokens left")


def _check(status: int, path: str) -> None:
    if status in (404, 410):
        raise NotFound(f"ESI answered {status} to {path}.")
    if status < 200 or 300 <= status < 400:
        # Not followed: nobody but ESI is to be asked in its name, and nothing about what was asked for is said.
        raise HostAway(f"ESI answered {status} (redirect) to {path}; redirects are not followed.")
    if status >= 400:
        raise Refused(f"ESI answered {status} to {path}.")


def _number(headers: Mapping[str, str], name: str, otherwise: int) -> int:
    text = headers.get(name, "")
    return int(text) if text.isascii() and text.isdigit() and len(text) < 10 else otherwise


def _expires_at(headers: Mapping[str, str]) -> datetime:
    expires_at = read_http_date(headers.get("Expires", ""))
    if expires_at is None:
        return utc_now() + FRESH_WITHOUT_EXPIRES
    return min(expires_at, utc_now() + MAX_FRESH)
