"""What the API serves beside GraphQL as plain text: how it does, and its schema."""

from __future__ import annotations

import asyncio
import math
from functools import cache

import structlog
from graphql import GraphQLSchema, print_schema
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

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

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking = asyncio.Lock()
        self._answered_at = -math.inf

    async def ask(self) -> None:
        """Return where the database answers now, or did a second ago; raises one of DATABASE_ERRORS."""
        async with self._asking:
            if monotonic() - self._answered_at < FRESH_SECONDS:
                return
            async with self._database.apart(HEALTH_SECONDS) as connection:
                await connection.fetchval("select 1")
            self._answered_at = monotonic()


def plain_routes(settings: Settings, database: Database, schema: GraphQLSchema) -> list[Route]:
    """Return the routes `/healthz`, 200 while the database answers and 503 while it does not, and `/schema.graphql`."""

    pulse = Pulse(database)

    @cache
    def text() -> str:
        return print_schema(schema)

    async def healthz(_request: Request) -> Response:
        try:
            async with asyncio.timeout(HEALTH_SECONDS):
                await pulse.ask()
        except DATABASE_ERRORS as error:
            _log.warning("api_database_lost", reason=repr(error))
            return PlainTextResponse("The database does not answer.", 503)
        is_low = disk_warning(settings.home, settings.disk_warning_mb) is not None
        return PlainTextResponse("ok, but the disk is nearly full" if is_low else "ok")

    async def sdl(_request: Request) -> Response:
        if not settings.api_introspection:
            return PlainTextResponse("This installation does not show its schema.", 404)
        return PlainTextResponse(text())

    return [Route("/schema.graphql", sdl), Route("/healthz", healthz)]
