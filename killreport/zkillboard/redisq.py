"""A RedisQ-shaped feed: a queue at the host, one package an answer, gone from the queue once it was sent.

Source: the README of zKillboard/RedisQ. It has no numbers to go back to: what is lost on the way only the history has.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

import msgspec
import structlog

from killreport.backoff import Backoff
from killreport.decoding import is_json
from killreport.errors import Garbled, KillreportError, Malformed, NotFound, Refused
from killreport.http import Sleep
from killreport.zkillboard.bodies import Bodies
from killreport.zkillboard.package import FeedDelivery, Package, UnreadablePackage, decode_redisq
from killreport.zkillboard.r2z2 import Fetch
from killreport.zkillboard.walk import MAX_BACKOFF_SECONDS, pause_of

NAME = "redisq"
# The host answers with an empty package when nothing came within this time; 10 is the most it takes.
LONG_POLL_SECONDS = 10
# An answer of ESI that is none for so often is none for good.
MAX_WRONG_BODIES = 5

log = structlog.get_logger()


class Address(NamedTuple):
    """The queue at the host."""

    redisq_url: str
    queue: str


class RedisqFeed:
    """Takes packages from the queue; those without a body are completed from ESI.

    on_answer: called whenever the host has answered with a package or with "none". on_nothing: with "none".
    on_trouble: called with the reason whenever a host did not answer, or with something else.
    """

    name = NAME

    def __init__(
        self,
        http: Fetch,
        bodies: Bodies,
        address: Address,
        *,
        on_answer: Callable[[], None] = lambda: None,
        on_nothing: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str], None] = lambda _reason: None,
        sleep: Sleep = asyncio.sleep,
    ) -> None:
        self._http = http
        self._bodies = bodies
        self._address = address
        self._on_answer = on_answer
        self._on_nothing = on_nothing
        self._on_trouble = on_trouble
        self._sleep = sleep
        self._bodiless: Package | None = None
        self._backoff = Backoff(1.0, MAX_BACKOFF_SECONDS)
        self._wrong_bodies = 0

    async def next(self) -> FeedDelivery:
        """Return the next package, waiting for one as long as it takes. A cancelled call loses nothing it had read."""
        while True:
            try:
                found = await self._complete(self._bodiless) if self._bodiless else await self._listen()
            except KillreportError as error:
                await self._pause(error)
                continue
            self._backoff.reset()
            if found is not None:
                return FeedDelivery(found)

    async def read_ahead(self) -> None:
        """Read nothing: what the host has sent is gone from its queue, so there is never more than one in hand."""

    async def _listen(self) -> Package | UnreadablePackage | None:
        url, queue = self._address
        body = await self._http.get(f"{url}/listen.php", {"queueID": queue, "ttw": str(LONG_POLL_SECONDS)})
        self._on_answer()
        try:
            package = decode_redisq(body)
        except Malformed as error:
            return UnreadablePackage(error.reason, error.path, body)
        if package is None:
            self._on_nothing()
            return None
        if bytes(package.esi) != b"null":
            return package
        if not package.hash:
            return UnreadablePackage(
                "neither a killmail nor its hash", "$.package.zkb.hash", body, None, package.killmail_id
            )
        self._bodiless = package
        self._wrong_bodies = 0
        return await self._complete(package)

    async def _complete(self, package: Package) -> Package | UnreadablePackage:
        """Read the killmail from ESI, which answers 422 for a wrong hash."""
        try:
            body = await self._bodies.killmail(package.killmail_id, package.hash)
        except (Refused, NotFound) as error:
            self._bodiless = None
            return UnreadablePackage(str(error), "$", package.raw, None, package.killmail_id)
        except (Malformed, Garbled) as error:
            return self._wrong_body(package, error)
        if not is_json(body):
            return self._wrong_body(package, Malformed("ESI sent a body that ends too early"))
        self._bodiless = None
        return msgspec.structs.replace(package, esi=msgspec.Raw(body), raw=body)

    def _wrong_body(self, package: Package, error: KillreportError) -> UnreadablePackage:
        """Give up a killmail whose body never comes whole. Raises the error as long as it may."""
        self._wrong_bodies += 1
        if self._wrong_bodies < MAX_WRONG_BODIES:
            raise error
        self._bodiless = None
        return UnreadablePackage(str(error), "$", package.raw, None, package.killmail_id)

    async def _pause(self, error: KillreportError) -> None:
        pause = pause_of(error)
        if pause is None:
            pause = self._backoff.next()
        log.warning("feed_trouble", feed=NAME, reason=str(error), pause_seconds=pause)
        self._on_trouble(str(error))
        await self._sleep(pause)
