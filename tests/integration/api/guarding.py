"""APIs served with settings of the test's own, and raw requests to them."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from tests.integration.serving import GraphQL, serving

PAGE = "{ killmails(first: 10) { nodes { id } } }"
FOLLOW = "subscription { killmailStored { id } }"


@asynccontextmanager
async def guarded(settings: Settings, database: Database, **changes: Any) -> AsyncIterator[GraphQL]:
    """Lend a client of an API with other settings."""
    app = create_app(settings.replace(**changes), database)
    connector = aiohttp.TCPConnector(limit=0)
    async with serving(app) as address, aiohttp.ClientSession(connector=connector, auto_decompress=False) as session:
        yield GraphQL(session, address)


async def post(
    api: GraphQL, body: Any, headers: Mapping[str, str] | None = None
) -> tuple[int, Mapping[str, str], bytes]:
    """Return status, headers and body of the answer to a posted request."""
    given = {"Accept-Encoding": "identity", "Content-Type": "application/json", **(headers or {})}
    encoded = io.BytesIO(json.dumps(body).encode())
    async with api.session.post(f"{api.address}/graphql", data=encoded, headers=given) as response:
        return response.status, response.headers, await response.read()
