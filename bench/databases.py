"""Databases for one measurement: made on the configured server or on an embedded one, dropped at the end."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg

from killreport.db.embedded import use_embedded_server
from killreport.db.migrate import upgrade
from killreport.eve.seed import load_seed


@asynccontextmanager
async def bench_server() -> AsyncIterator[str]:
    """Lend the server that KILLREPORT_TEST_DATABASE_URL names, else an embedded one of this run's own."""
    if url := os.environ.get("KILLREPORT_TEST_DATABASE_URL"):
        yield url
        return
    with tempfile.TemporaryDirectory(prefix="killreport-bench-") as home:
        async with use_embedded_server(Path(home)) as url:
            yield url


@asynccontextmanager
async def bench_database(server: str) -> AsyncIterator[str]:
    """Lend the URL of a migrated and seeded database."""
    async with database_beside(server) as url:
        connection = await asyncpg.connect(url)
        await upgrade(connection)
        await load_seed(connection)
        await connection.close()
        yield url


@asynccontextmanager
async def database_beside(server: str) -> AsyncIterator[str]:
    """Lend the URL of an empty database on the server that a URL leads to."""
    name = f"killreport_bench_{secrets.token_hex(4)}"
    head, question, query = server.partition("?")
    url = f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"
    await execute(server, f'create database "{name}"')
    try:
        yield url
    finally:
        await execute(server, f'drop database if exists "{name}" with (force)')


async def execute(url: str, statement: str) -> None:
    """Run one statement on a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
