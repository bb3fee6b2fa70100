"""The API, served over the test's own database, and a writer to fill it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest

from killreport.api.app import create_app
from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from tests.integration.serving import GraphQL, serving


@pytest.fixture
async def writer(database: Database) -> KillmailWriter:
    """Return a writer with the packaged static data and prices."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        prices = await load_price_book(connection, universe)
    return KillmailWriter(universe, prices)


@pytest.fixture
async def api(settings: Settings, database: Database) -> AsyncIterator[GraphQL]:
    """Yield a client of a served API."""
    async with serving(create_app(settings, database)) as address, aiohttp.ClientSession() as session:
        yield GraphQL(session, address)
