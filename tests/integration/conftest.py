"""The static data, read once a process, as the warm process keeps it that the fleet is forked from."""

from __future__ import annotations

import gc

import pytest

from killreport.eve.load import keep_packaged_universe
from killreport.eve.universe import Universe


@pytest.fixture(scope="session", autouse=True)
def universe() -> Universe:
    """Return the packaged static data; a database with the same is not read again."""
    universe = keep_packaged_universe()
    gc.freeze()
    return universe
