"""What integration tests share.

The static data, read once a process as a fleet's warm process keeps it; a Redis; a host that answers from a table.
"""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator

import pytest

from killreport.eve.load import keep_packaged_universe
from killreport.eve.universe import Universe
from tests.conftest import REQUIRES_SERVICES
from tests.integration.zkillboard.site import Site, open_site


@pytest.fixture(scope="session", autouse=True)
def universe() -> Universe:
    """Return the packaged static data; a database with the same is not read again."""
    universe = keep_packaged_universe()
    gc.freeze()
    return universe


@pytest.fixture
def redis_url() -> str:
    """Return where a Redis is; skips the test where none is, or fails it where one has to be."""
    url = os.environ.get("KILLREPORT_TEST_REDIS_URL")
    if not url:
        assert not REQUIRES_SERVICES, "KILLREPORT_TEST_REDIS_URL is not set"
        pytest.skip("KILLREPORT_TEST_REDIS_URL names no Redis")
    return url


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    """Yield a host, ESI or another, that answers from a table and notes what it was asked."""
    async with open_site() as site:
        yield site
