"""A writer over the test's own database."""

from __future__ import annotations

import pytest

from killreport.db.database import Database
from killreport.eve.universe import Universe
from killreport.killmail.writing.store import KillmailWriter
from killreport.market.price import load_price_book


@pytest.fixture
async def writer(database: Database, universe: Universe) -> KillmailWriter:
    """Return a writer with the packaged static data and prices."""
    async with database.connection() as connection:
        return KillmailWriter(universe, await load_price_book(connection, universe))
