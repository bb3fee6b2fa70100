"""What the API serves beside GraphQL as plain text: how it does, and its schema."""

from __future__ import annotations

import asyncio
import math

import structlog
from graphql import GraphQLSchema, print_schema
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from killreport.api.door.guard.guard import Guard
from killreport.api.rest.kept_text import KeptText
from killreport.api.status.feed import FeedState, read_feed_state
from killreport.clock import monotonic
from killreport.config import Settings
from killreport.db.database import DATABASE_ERRORS, Database
from killreport.fleet.disk import disk_warning

# Whoever looks whether this process is well waits no longer, and neither does the answer.
HEALTH_SECONDS = 4.0
# However many look, the database is asked once in this time.
FRESH_SECONDS = 1.0

_log = structlog.get_logger(__name__)


class Pulse:
    """Asks whether the database answers, over a connection of its own: a busy pool is not a sick one."""

    def __init__(self, database: Database, silence_seconds: float) -> None:
        self._database = database
        self._silence_seconds = silence_seconds
        self._feed = FeedState(None, None, is_silent=False, trouble=None)
        self._asking = asyncio.Lock()
        self._answered_at = -math.inf

    async def ask(self) -> FeedState:
        """Return how the feed does now, or did a second ago; raises one of DATABASE_ERRORS."""
        async with self._asking:
            if monotonic() - self._answered_at < FRESH_SECONDS:
                return self._feed
            async with self._database.apart(HEALTH_SECONDS) as connection:
                self._feed = await read_feed_state(connection, self._silence_seconds)
            self._answered_at = monotonic()
            return self._feed


def _words(feed: FeedState, *, is_disk_low: bool) -> str:
    """Return the answer. A feed that is away is no reason to send nobody here: what is stored is served."""
    verdict = "ok, but the disk is nearly full" if is_disk_low else "ok"
    if feed.trouble is None:
        return verdict
    newest = f"{feed.newest_killmail_at:%Y-%m-%d %H:%M:%S} UTC" if feed.newest_killmail_at else "none yet"
    return f"{verdict}\nThe feed: {feed.trouble}; newest kill: {newest}."


def plain_routes(settings: Settings, database: Database, schema: GraphQLSchema, guard: Guard) -> list[Route]:
    """Return `/schema.graphql`, and `/healthz`: 200 with how the feed does, 503 while the database does not answer."""

    pulse = Pulse(database, settings.feed_silence_seconds)

    text = KeptText(guard, lambda: print_schema(schema), "text/plain")

    async def healthz(_request: Request) -> Response:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                feed = await pulse.ask()
        except DATABASE_ERRORS as error:
            _log.warning("api_database_lost", reason=repr(error))
            return PlainTextResponse("The database does not answer.", 503)
        is_low = disk_warning(settings.home, settings.disk_warning_mb) is not None
        return PlainTextResponse(_words(feed, is_disk_low=is_low))

    async def sdl(request: Request) -> Response:
        if not settings.api_introspection:
            return PlainTextResponse("This installation does not show its schema.", 404)
        return await text.answer(request)

    return [Route("/schema.graphql", sdl), Route("/healthz", healthz)]
