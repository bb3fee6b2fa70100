"""Databases of tests' own: copied from a template, emptied after a test and lent to the next, dropped many at once."""

from __future__ import annotations

import asyncio
import os
import secrets
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace

import asyncpg

from killreport.db.migrate import upgrade
from killreport.eve.seed import load_seed

# Each drop has the server write out all it has in memory; each of those dropped at once takes a connection.
MAX_USED = 12

# The state of a database's catalogue: whatever changes a row of one of these leaves a new xmin, and ANALYZE new sizes.
# The schemas of temporary tables stay behind when those are gone, and matter to nobody.
_CATALOGUES = ("attribute", "attrdef", "constraint", "index", "proc", "trigger", "rewrite", "type", "extension")
_CATALOGUE = f"""
    with temporary as (select oid from pg_namespace where nspname ~ '^pg_(toast_)?temp')
    select concat_ws(' ',
        (select concat_ws(' ', count(*), sum(xmin::text::bigint), sum(relpages), sum(reltuples)) from pg_class
            where relnamespace not in (select oid from temporary)),
        (select concat_ws(' ', count(*), sum(xmin::text::bigint)) from pg_namespace
            where oid not in (select oid from temporary)),
        (select sum(s.xmin::text::bigint) from pg_db_role_setting s join pg_database d on d.oid = setdatabase
            where datname = current_database()),
        {", ".join(f"(select count(*) || ' ' || sum(xmin::text::bigint) from pg_{name})" for name in _CATALOGUES)}
    )
"""
# How many rows were ever written to each table; a connection that has ended has counted its own.
_WRITTEN = """
    select relid::regclass::text, n_tup_ins + n_tup_upd + n_tup_del from pg_stat_user_tables
    where schemaname not like 'pg_temp%'
"""
_START_SEQUENCES = """
    select setval(format('%I.%I', schemaname, sequencename)::regclass, start_value, false)
    from pg_sequences where last_value is not null
"""


def with_database_name(url: str, name: str) -> str:
    """Return the URL with another database name; the query string stays."""
    head, question, query = url.partition("?")
    return f"{head.rsplit('/', 1)[0]}/{name}{question}{query}"


def new_name() -> str:
    """Return a name no other database has."""
    return f"killreport_test_{os.getpid()}_{secrets.token_hex(6)}"


async def create_database(server_url: str, template: str = "template1") -> str:
    """Make a database like the template, to which nobody is connected; return its name."""
    name = new_name()
    await _execute(server_url, f'create database "{name}" template "{template}"')
    return name


async def create_template(server_url: str) -> str:
    """Make a database with the present schema and the static data; return its name."""
    name = await create_database(server_url)
    connection = await asyncpg.connect(with_database_name(server_url, name))
    try:
        await upgrade(connection)
        await load_seed(connection)
        # Of the ids that tests make up, so that storing the first killmail does not change the catalogue.
        await connection.execute("select make_killmail_partition(1)")
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


@dataclass(frozen=True)
class _State:
    """What a database was like when it was lent."""

    template: str
    filled: frozenset[str]  # tables with rows
    catalogue: str
    written: dict[str, int]


class Databases:
    """Databases lent to tests.

    One is emptied and lent to the next where a test only filled tables that are empty in the template; by then it has
    another name, so that a process which outlived its test cannot find it. Others are dropped.
    """

    def __init__(self, server_url: str) -> None:
        self._server_url = server_url
        self._new: dict[str, _State] = {}
        self._lent: dict[str, _State] = {}
        self._clean: dict[str, list[tuple[str, _State]]] = defaultdict(list)
        self._used: list[str] = []

    async def take(self, template: str) -> str:
        """Return the name of a database like the template, to which nobody is connected."""
        if self._clean[template]:
            name, self._lent[name] = self._clean[template].pop()
            return name
        name = await create_database(self._server_url, template)
        if template not in self._new:
            async with self._connection(name) as connection:
                tables = (await _written(connection)).keys()
                filled = [table for table in tables if await connection.fetch(f"select from {table} limit 1")]
                state = _State(template, frozenset(filled), await connection.fetchval(_CATALOGUE), {})
            self._new[template] = state
        self._lent[name] = self._new[template]
        return name

    async def give_back(self, name: str) -> None:
        """Have nobody connected to the database from now on; empty it for the next test, or drop it soon."""
        before, clean = self._lent.pop(name), new_name()
        await self._disconnect(name, f'alter database "{name}" rename to "{clean}"')
        try:
            async with self._connection(clean) as connection:
                after = await _emptied(connection, before)
        except asyncpg.ObjectNotInPrerequisiteStateError:  # a test had it refuse connections
            after = None
        if after is None:
            await self._drop_soon(clean)
        else:
            self._clean[before.template].append((clean, after))

    async def discard(self, name: str) -> None:
        """Have nobody connected to a database that was not taken here from now on, and drop it soon."""
        await self._disconnect(name, f'alter database "{name}" allow_connections false')
        await self._drop_soon(name)

    def clean_copies(self, template: str) -> int:
        """Return how many like the template wait to be lent again."""
        return len(self._clean[template])

    async def drop(self) -> None:
        """Drop them all."""
        clean = [name for databases in self._clean.values() for name, _ in databases]
        await drop_databases(self._server_url, *self._used, *clean)
        self._used.clear()
        self._clean.clear()

    async def _drop_soon(self, name: str) -> None:
        self._used.append(name)
        if len(self._used) >= MAX_USED:
            await drop_databases(self._server_url, *self._used)
            self._used.clear()

    async def _disconnect(self, name: str, statement: str) -> None:
        end = f"select pg_terminate_backend(pid, 5000) from pg_stat_activity where datname = '{name}'"
        async with asyncio.timeout(60):
            while True:
                try:
                    return await _execute(self._server_url, f"{end}; {statement}")
                except (asyncpg.ObjectInUseError, asyncpg.InsufficientPrivilegeError):
                    await asyncio.sleep(0.05)  # somebody came again, or the server's own vacuum is in it

    @asynccontextmanager
    async def _connection(self, name: str) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(with_database_name(self._server_url, name))
        try:
            yield connection
        finally:
            await connection.close()


async def _emptied(connection: asyncpg.Connection, before: _State) -> _State | None:
    """Empty what was filled; returns None where that does not make the database like its template."""
    if await connection.fetchval(_CATALOGUE) != before.catalogue:
        return None
    written = await _written(connection)
    touched = [table for table, number in written.items() if number != before.written.get(table, 0)]
    if not before.filled.isdisjoint(touched):
        return None
    if not touched:
        return replace(before, written=written)
    analyzed = await connection.fetch(
        "select oid::regclass::text from pg_class where reltuples >= 0 and oid = any($1::regclass[])", touched
    )
    await connection.execute(f"truncate {', '.join(touched)}")
    await connection.execute(_START_SEQUENCES)
    for (table,) in analyzed:  # an index was made on it, which counted its rows as ANALYZE does
        await connection.execute(f"analyze {table}")
    return replace(before, catalogue=await connection.fetchval(_CATALOGUE), written=written)


async def _written(connection: asyncpg.Connection) -> dict[str, int]:
    return dict(await connection.fetch(_WRITTEN))


async def _execute(url: str, statement: str) -> None:
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()
