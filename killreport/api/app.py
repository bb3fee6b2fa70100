"""The ASGI application of the API: `/graphql` over HTTP and WebSocket, the REST API and feeds, `/healthz`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, cast

from ariadne.asgi import GraphQL
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Route, WebSocketRoute

from killreport.api.context import ApiContext
from killreport.api.documents import Documents
from killreport.api.engine.executor import BatchExecutor
from killreport.api.entity.facts import FactsLoader
from killreport.api.explorer import FormExplorer, explorer_file
from killreport.api.guard.cors import cross_origin
from killreport.api.guard.guard import Guard
from killreport.api.http import LimitedHTTPHandler
from killreport.api.killmail.posting import KillmailPosting
from killreport.api.limits import Limits
from killreport.api.live import LiveHub
from killreport.api.masking import masked, quiet
from killreport.api.plain import plain_routes
from killreport.api.rest.table import rest_routes
from killreport.api.schema import build_schema
from killreport.api.status.processes import QueueCounter
from killreport.api.subscription import use_batch_executor
from killreport.api.universe.views import UniverseViews
from killreport.api.websocket import LimitedWebSocketHandler
from killreport.cache.buckets import open_buckets
from killreport.cache.events import open_events
from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.fleet.table import FLEET, ProcessRow
from killreport.search.search import load_search


def create_app(settings: Settings, database: Database, rows: Sequence[ProcessRow] = FLEET) -> Starlette:
    """Return the API over an open database; it serves once its lifespan has loaded the static data.

    rows: the fleet, as it is wanted here.
    """
    use_batch_executor()

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with database.connection() as connection:
            views = UniverseViews(await load_universe(connection))
            search = await load_search(connection, views.universe)
        async with (
            QueueCounter(settings, database).open() as queues,
            open_events(settings, database) as events,
            open_buckets(settings, database) as guard.gate.buckets,
        ):
            hub = LiveHub(database, views, events, guard.killmails_changed)
            posting = KillmailPosting(database, views.universe, settings, events)
            async with hub.running(), posting.open():
                app.state.context = ApiContext(
                    database,
                    views,
                    hub,
                    queues,
                    posting,
                    facts=FactsLoader(database),
                    search=search,
                    rows=tuple(rows),
                )
                yield

    schema = build_schema()
    documents = Documents(Limits.of(settings))
    guard = Guard.of(settings, schema, documents)
    app = Starlette(
        lifespan=lifespan,
        middleware=[cross_origin(settings), Middleware(GZipMiddleware, minimum_size=2_000, compresslevel=4)],
    )
    graphql = GraphQL(
        schema,
        context_value=lambda _request, _data: app.state.context,
        query_parser=documents.parse,
        query_validator=cast(Any, documents.validate),
        execute_get_queries=True,
        introspection=settings.api_introspection,
        explorer=FormExplorer(),
        execution_context_class=BatchExecutor,
        error_formatter=masked,
        logger=quiet,
        http_handler=LimitedHTTPHandler(guard),
        websocket_handler=LimitedWebSocketHandler(guard),
    )
    app.routes.extend(
        [
            Route("/graphql", graphql, methods=["GET", "POST", "OPTIONS"]),
            WebSocketRoute("/graphql", graphql),
            Route("/explorer/{name}", explorer_file),
            *plain_routes(settings, database, schema),
            *rest_routes(settings),
        ]
    )
    return app
