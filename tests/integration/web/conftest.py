"""The site, served over an API that is served over the test's own database."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from killreport.api.app import create_app as create_api
from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from killreport.web.app import create_app
from tests.integration.serving import serving


@pytest.fixture
async def writer(database: Database) -> KillmailWriter:
    """Return a writer with the packaged static data and prices."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        prices = await load_price_book(connection, universe)
    return KillmailWriter(universe, prices)


@dataclass
class SiteClient:
    """Asks the site for pages."""

    session: aiohttp.ClientSession
    address: str
    api: str

    async def page(self, path: str, status: int = 200) -> str:
        """Return the page, having checked its status."""
        async with self.session.get(self.address + path) as response:
            assert response.status == status, await response.text()
            return await response.text()


@pytest.fixture
async def site(settings: Settings, database: Database) -> AsyncIterator[SiteClient]:
    """Yield a client of a served site. What no worker brought is no feed's silence here."""
    async with (
        serving(create_api(settings.replace(feed_silence_seconds=0), database)) as api,
        serving(create_app(settings.replace(api_url=api))) as address,
        aiohttp.ClientSession() as session,
    ):
        yield SiteClient(session, address, api)
