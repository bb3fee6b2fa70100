"""What the API serves beside GraphQL as plain text: how it does, and its schema."""

from __future__ import annotations

from graphql import GraphQLSchema, print_schema
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from killreport.config import Settings
from killreport.db.database import Database


def plain_routes(settings: Settings, database: Database, schema: GraphQLSchema) -> list[Route]:
    """Return the routes `/healthz`, which answers while the database does, and `/schema.graphql`."""

    async def healthz(_request: Request) -> Response:
        async with database.connection() as connection:
            await connection.fetchval("select 1")
        return PlainTextResponse("ok")

    async def sdl(_request: Request) -> Response:
        if not settings.api_introspection:
            return PlainTextResponse("This installation does not show its schema.", 404)
        return PlainTextResponse(print_schema(schema))

    return [Route("/schema.graphql", sdl), Route("/healthz", healthz)]
