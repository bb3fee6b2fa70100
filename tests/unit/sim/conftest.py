"""The universe and made-up mails, made once a process."""

from __future__ import annotations

from typing import Any

import pytest

from killreport.eve.load import keep_packaged_universe
from killreport.eve.universe import Universe
from killreport.sim.world.generator import Generator
from killreport.sim.world.journal import FIRST_SEQUENCE
from killreport.sim.world.people import World

NOON = 1_760_000_400


@pytest.fixture(scope="session")
def universe() -> Universe:
    """Return the packaged static data."""
    return keep_packaged_universe()


@pytest.fixture(scope="session")
def generator(universe: Universe) -> Generator:
    """Return the generator of seed 1."""
    return Generator(universe, World(1))


@pytest.fixture(scope="session")
def mails(generator: Generator) -> list[dict[str, Any]]:
    """Return the first 2,500 mails of seed 1."""
    return [generator.generate(FIRST_SEQUENCE + place, NOON + place) for place in range(2500)]
