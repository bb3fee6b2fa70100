"""Databases of tests' own: copied from a template in a moment, put aside when used, dropped many at once."""

from __future__ import annotations

import asyncio
import os
import secrets

import asyncpg

from killreport.db.migrate import upgrade
from killreport.eve.seed import load_seed

# Each drop has the server write out all it has in memory; each of those dropped at once takes a connection.
MAX_USED = 12


def with_database_name(url: str, name: str) -> str:
    """Return the URL with another database name; the query string stays."""
    head, question, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"


async def create_database(server_url: str, template: str = "template1") -> str:
    """Make a database like the template, to which nobody is connected; return its name."""
    name = f"killreport_test_{os.getpid()}_{secrets.token_hex(6)}"
    await _execute(server_url, f'create database "{name}" template "{template}"')
    return name


async def create_template(server_url: str) -> str:
    """Make a database with the present schema and the static data; return its name."""
    name = await create_database(server_url)
    connection = await asyncpg.connect(with_database_name(server_url, name))
    try:
        await upgrade(connection)
        await load_seed(connection)
    finally:
        await connection.close()
    return name


async def drop_databases(server_url: str, *names: str) -> None:
    """Drop databases all at once: else the first has the server write out what the others are about to throw away."""
    await asyncio.gather(*(_drop(server_url, name) for name in names))


async def _drop(server_url: str, name: str) -> None:
    """Drop one. The server's own vacuum may be in it, which nobody but a superuser may end: it is done in a moment."""
    async with asyncio.timeout(60):
        while True:
            try:
                return await _execute(server_url, f'drop database if exists "{name}" with (force)')
            except asyncpg.InsufficientPrivilegeError:
                await asyncio.sleep(0.1)


class UsedDatabases:
    """Databases that tests are done with, dropped a dozen at a time."""

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._names: list[str] = []

    async def add(self, name: str) -> None:
        """Have nobody connected to the database from now on, and drop it soon."""
        await _execute(
            self._server_url,
            f"""alter database "{name}" allow_connections false;
                select pg_terminate_backend(pid) from pg_stat_activity where datname = '{name}'""",
        )
        self._names.append(name)
        if len(self._names) >= MAX_USED:
            await self.drop()

    async def drop(self) -> None:
        """Drop them all."""
        await drop_databases(self._server_url, *self._names)
        self._names.clear()


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
