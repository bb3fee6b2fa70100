"""The ASGI application of the API: `/graphql` over HTTP and WebSocket, the REST API and feeds, `/healthz`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import HTTPConnection
from starlette.routing import Route, WebSocketRoute

from killreport.api.context import ApiContext
from killreport.api.door.application import Application
from killreport.api.door.audit import Audit
from killreport.api.door.caller import caller_of
from killreport.api.door.documents import Documents
from killreport.api.door.execution import Execution
from killreport.api.door.guard.guard import Guard
from killreport.api.door.http import HTTPHandler
from killreport.api.door.limits import Limits
from killreport.api.door.websocket import WebSocketHandler
from killreport.api.explorer import explorer_file
from killreport.api.lifespan import open_context
from killreport.api.plain import plain_routes
from killreport.api.rest.sockets import Sockets
from killreport.api.rest.table import rest_routes
from killreport.api.schema import build_schema
from killreport.config import Settings
from killreport.db.database import Database
from killreport.fleet.table import FLEET, ProcessRow


def create_app(settings: Settings, database: Database, rows: Sequence[ProcessRow] = FLEET) -> Application:
    """Return the API over an open database; it serves once its lifespan has loaded the static data.

    rows: the fleet, as it is wanted here.
    """

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_context(settings, database, rows, guard) as app.state.context:
            yield

    schema = build_schema()
    documents = Documents(schema, Limits.of(settings), with_introspection=settings.api_introspection)
    guard = Guard.of(settings, schema, documents)
    app = Application(settings, lifespan=lifespan)
    audit = Audit()

    def context_of(request: HTTPConnection) -> ApiContext:
        caller = caller_of(request, settings.operator_token)
        context: ApiContext = app.state.context
        return context.of(audit.asked(caller, guard.clients.client(request), request.url.path))

    execution = Execution(schema, documents, guard, context_of)
    sockets = Sockets(guard)
    app.routes.extend(
        [
            Route("/graphql", HTTPHandler(execution).answer, methods=["GET", "POST", "OPTIONS"]),
            WebSocketRoute("/graphql", WebSocketHandler(execution).serve),
            *([Route("/explorer/{name}", explorer_file)] if settings.api_explorer else []),
            *plain_routes(settings, database, schema, guard),
            *(WebSocketRoute(path, sockets.serve) for path in ("/websocket/", "/websocket")),
            *rest_routes(guard),
        ]
    )
    return app
