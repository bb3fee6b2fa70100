"""The ASGI application of the API: `/graphql` over HTTP and WebSocket, `/healthz`."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, cast

from ariadne.asgi import GraphQL
from graphql import print_schema
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute

from killreport.api.caller import caller_of
from killreport.api.context import ApiContext
from killreport.api.documents import Documents
from killreport.api.engine.executor import BatchExecutor
from killreport.api.explorer import FormExplorer, explorer_file
from killreport.api.http import LimitedHTTPHandler
from killreport.api.live import LiveHub
from killreport.api.masking import masked, quiet
from killreport.api.schema import build_schema
from killreport.api.status.polls import StatusPolls
from killreport.api.status.processes import QueueCounter
from killreport.api.subscription import use_batch_executor
from killreport.api.universe.prices import PriceDesk
from killreport.api.universe.views import UniverseViews
from killreport.api.websocket import LimitedWebSocketHandler
from killreport.cache.events import open_events
from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.load import load_universe


def create_app(settings: Settings, database: Database) -> Starlette:
    """Return the API over an open database; it serves once its lifespan has loaded the static data."""
    use_batch_executor()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with database.connection() as connection:
            views = UniverseViews(await load_universe(connection))
        async with QueueCounter(settings, database).open() as queues, open_events(settings, database) as events:
            hub = LiveHub(database, views, events)
            async with hub.running(), StatusPolls(database, queues).open() as polls:
                app.state.context = ApiContext(
                    settings, database, views, hub, queues, polls, PriceDesk(database, views.universe)
                )
                yield

    async def healthz(_request: Request) -> Response:
        async with database.connection() as connection:
            await connection.fetchval("select 1")
        return PlainTextResponse("ok")

    async def sdl(_request: Request) -> Response:
        return PlainTextResponse(print_schema(schema))

    schema = build_schema()
    documents = Documents()
    app = Starlette(lifespan=lifespan, middleware=[Middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4)])
    graphql = GraphQL(
        schema,
        context_value=lambda request, _data: app.state.context.of(caller_of(request, settings.operator_token)),
        query_parser=documents.parse,
        query_validator=cast(Any, documents.validate),
        execute_get_queries=True,
        explorer=FormExplorer(),
        execution_context_class=BatchExecutor,
        error_formatter=masked,
        logger=quiet,
        http_handler=LimitedHTTPHandler(),
        websocket_handler=LimitedWebSocketHandler(),
    )
    app.routes.extend(
        [
            Route("/graphql", graphql, methods=["GET", "POST", "OPTIONS"]),
            WebSocketRoute("/graphql", graphql),
            Route("/schema.graphql", sdl),
            Route("/explorer/{name}", explorer_file),
            Route("/healthz", healthz),
        ]
    )
    return app
