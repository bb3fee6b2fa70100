"""Fixtures of the database's tests: empty databases, and users of an embedded server in processes of their own."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import asyncpg
import pytest

from killreport.db.database import Connection
from killreport.db.server_folder import ServerFolder, folder_of
from tests.databases import Databases, create_database, with_database_name
from tests.integration.db.users import UserProcess, wait_until_stopped


@pytest.fixture
async def empty_url(server_url: str, databases: Databases) -> AsyncIterator[str]:
    """Yield the URL of a database without a single table."""
    name = await create_database(server_url)
    yield with_database_name(server_url, name)
    await databases.discard(name)


@pytest.fixture
async def connection(empty_url: str) -> AsyncIterator[Connection]:
    """Yield a connection to a database without a single table."""
    connection = await asyncpg.connect(empty_url)
    yield connection
    await connection.close()


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Yield a home folder; whatever server runs in it has stopped when the test is over."""
    yield tmp_path / "home"
    folder = folder_of(tmp_path / "home")
    if folder.keeper_lock.exists():
        wait_until_stopped(folder)


@pytest.fixture
def folder(home: Path) -> ServerFolder:
    """Return the paths of the server in the home folder."""
    return folder_of(home)


@pytest.fixture
def users(home: Path) -> Iterator[list[UserProcess]]:
    """Yield a list for the test's processes: those still in it at the end are killed."""
    started: list[UserProcess] = []
    yield started
    for user in started:
        user.kill()


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Yield a folder everybody can enter; pytest's own are closed to others."""
    with tempfile.TemporaryDirectory() as name:
        Path(name).chmod(0o755)
        yield Path(name)
        folder = folder_of(Path(name) / "home")
        if folder.keeper_lock.exists():
            wait_until_stopped(folder)
