"""A writer over the test's own database."""

from __future__ import annotations

import pytest

from killreport.db.database import Database
from killreport.eve.load import load_universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book


@pytest.fixture
async def writer(database: Database) -> KillmailWriter:
    """Return a writer with the packaged static data and prices."""
    async with database.connection() as connection:
        universe = await load_universe(connection)
        prices = await load_price_book(connection, universe)
    return KillmailWriter(universe, prices)
