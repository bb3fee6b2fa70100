"""The two services over a database of the test's own, called as an ASGI server calls them, and served on a socket."""

from __future__ import annotations

import gc
from collections.abc import AsyncIterator

import pytest

from killreport.answering import Answering
from killreport.api.app import create_app as create_api
from killreport.config import Settings
from killreport.db.database import Database
from killreport.eve.load import keep_packaged_universe, load_universe
from killreport.eve.universe import Universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book
from killreport.web.app import create_app as create_site
from tests.integration.kills import NOON, arrival, store
from tests.integration.serving import serving

FIRST_KILL, KILLS = 1001, 3


@pytest.fixture(scope="session", autouse=True)
def universe() -> Universe:
    """Return the packaged static data; a database with the same is not read again."""
    universe = keep_packaged_universe()
    gc.freeze()
    return universe


@pytest.fixture
async def writer(database: Database) -> KillmailWriter:
    """Return a writer with the packaged static data and prices."""
    async with database.connection() as connection:
        return KillmailWriter(found := await load_universe(connection), await load_price_book(connection, found))


@pytest.fixture
async def kills(database: Database, writer: KillmailWriter) -> None:
    """Store a few killmails, so that what is asked for can be there."""
    await store(writer, database, *(arrival(FIRST_KILL + number, NOON) for number in range(KILLS)))


@pytest.fixture
async def api(settings: Settings, database: Database, kills: None) -> AsyncIterator[Answering]:
    """Yield the API, started."""
    app = create_api(settings, database)
    async with app.router.lifespan_context(app):
        yield app


@pytest.fixture
async def site(settings: Settings, database: Database, kills: None) -> AsyncIterator[Answering]:
    """Yield the site, started, over an API of its own."""
    async with serving(create_api(settings, database)) as address:
        app = create_site(settings.replace(api_url=address))
        async with app.router.lifespan_context(app):
            yield app
