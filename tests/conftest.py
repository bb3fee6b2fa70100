"""Fixtures every ring of the tests shares: where the real data is, and databases of their own."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
import structlog

from killreport.config import Settings
from killreport.db.database import Database, open_pool
from killreport.db.embedded import use_embedded_server
from tests.databases import Databases, create_template, drop_databases, with_database_name
from tests.goldens import Goldens

# Set where every service is supposed to be there: what is missing then fails a test instead of skipping it.
REQUIRES_SERVICES = os.environ.get("KILLREPORT_TEST_REQUIRE_SERVICES") == "1"
DATA = Path(__file__).parent.parent.parent / "shared" / "data"

# The one profile: tests choose how many examples they look at and nothing else. How long one takes is the machine's
# affair, busy as it is; large or rarely fitting ones are wanted.
# In CI the examples are the same every time, so that a change is judged by what it changes.
hypothesis.settings.register_profile(
    "killreport",
    deadline=None,
    database=None,
    derandomize=REQUIRES_SERVICES,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.data_too_large,
        hypothesis.HealthCheck.filter_too_much,
    ],
)
hypothesis.settings.load_profile("killreport")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have the tests that start a whole fleet first: the rest of the others' random order is theirs.

    Each process of xdist begins with a part of the list and takes from the others' ends, so that one process does these
    after another. Scattered, several fleets would start at once and be short of time, or the longest be the last.
    """
    items.sort(key=lambda item: item.get_closest_marker("fleet") is None)


@pytest.fixture(scope="session", autouse=True)
def _lasting_things_frozen() -> None:
    """Have the garbage collector pass over what lives to the end anyway: modules, schemas and thousands of tests."""
    gc.freeze()


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Log plainly, and take back what a command that ran in this process set up: its stream is closed with the test.

    structlog's own tracebacks show the variables of every frame: to draw one takes a second.
    """
    handlers = list(logging.getLogger().handlers)
    renderer = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    structlog.configure(processors=[*structlog.get_config()["processors"][:-1], renderer])
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()
    logging.getLogger().handlers[:] = handlers


@pytest.fixture(scope="session")
def data() -> Path:
    """Return the folder of real EVE data; skips the test where it is absent."""
    if not DATA.is_dir():
        pytest.skip(f"the real EVE data is not at {DATA}")
    return DATA


@pytest.fixture
def goldens(request: pytest.FixtureRequest) -> Goldens:
    """Return the files that the test's module expects."""
    return Goldens(request.path)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Yield the URL of a server's maintenance database: the one KILLREPORT_TEST_DATABASE_URL names, else embedded.

    The embedded server is shared by the parallel test processes: whoever comes second joins the first's.
    """
    if url := os.environ.get("KILLREPORT_TEST_DATABASE_URL"):
        yield url
        return
    assert not REQUIRES_SERVICES, "KILLREPORT_TEST_REQUIRE_SERVICES is set, and KILLREPORT_TEST_DATABASE_URL is not"
    # With xdist every process has a folder of its own below one that all share.
    root = tmp_path_factory.getbasetemp()
    home = (root.parent if "PYTEST_XDIST_WORKER" in os.environ else root) / "embedded"
    with asyncio.Runner() as runner:
        server = use_embedded_server(home)
        yield runner.run(server.__aenter__())
        runner.run(server.__aexit__(None, None, None))


@pytest.fixture(scope="session")
def template_database(server_url: str) -> Iterator[str]:
    """Yield the name of a database with the present schema and the static data, to be copied by tests."""
    name = asyncio.run(create_template(server_url))
    yield name
    asyncio.run(drop_databases(server_url, name))


@pytest.fixture(scope="session")
def databases(server_url: str) -> Iterator[Databases]:
    """Yield what lends databases to tests; all are dropped in the end."""
    databases = Databases(server_url)
    yield databases
    asyncio.run(databases.drop())


@pytest.fixture
async def database_url(server_url: str, template_database: str, databases: Databases) -> AsyncIterator[str]:
    """Yield the URL of a migrated and seeded database of the test's own; nobody is connected to it afterwards."""
    name = await databases.take(template_database)
    yield with_database_name(server_url, name)
    await databases.give_back(name)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """Yield a pool of connections to a database of the test's own."""
    async with open_pool(database_url, 5, "test") as database:
        yield database


@pytest.fixture
def settings(tmp_path: Path, database_url: str) -> Settings:
    """Return settings with a home and a database of the test's own and no wish to leave this machine."""
    nowhere = "http://127.0.0.1:1"
    return Settings.model_validate(
        {
            "home": tmp_path / "home",
            "database_url": database_url,
            "r2z2_url": nowhere,
            "redisq_url": nowhere,
            "zkillboard_url": nowhere,
            "esi_url": nowhere,
            "static_data_url": nowhere,
            "everef_url": nowhere,
            "image_url": "off",
            # What a test has just stored, it wants to see; tests of kept answers say so.
            "api_cache_bytes": 0,
            "api_names_seconds": 0,
        }
    )
