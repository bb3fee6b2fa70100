"""The databases tests are lent: each is like its template, whatever the test before did to it."""

from __future__ import annotations

import asyncpg
import pytest

from tests.databases import Databases, with_database_name

STATE = """
    select (select count(*) from eve_type), (select count(*) from alliance), (select count(*) from pg_tables),
        (select count(*) from pg_sequences where last_value is not null)
"""


async def change(server_url: str, name: str, statement: str) -> asyncpg.Record:
    """Return the state before the statement was run."""
    connection = await asyncpg.connect(with_database_name(server_url, name))
    try:
        before = await connection.fetchrow(STATE)
        await connection.execute(statement)
        return before
    finally:
        await connection.close()


FILL = """insert into alliance (alliance_id, name, ticker) values (99000001, 'Alice', 'ALI');
    select nextval('event_event_id_seq'); create temporary table passing (number int)"""


@pytest.mark.parametrize(
    ("statement", "is_lent_again"),
    [
        (FILL, True),
        ("delete from eve_type where type_id = 587", False),
        ("update eve_type set type_id = type_id where type_id = 587", False),
        ("truncate eve_type", False),
        ("create table mine (number int)", False),
        ("alter table alliance add mine int", False),
        ("analyze eve_type", False),
        ("create index on alliance (name)", False),
    ],
)
async def test_the_next_test_finds_nothing_of_what_the_last_did(
    server_url: str, template_database: str, statement: str, is_lent_again: bool
) -> None:
    databases = Databases(server_url)
    try:
        first = await databases.take(template_database)
        as_new = await change(server_url, first, statement)
        left_open = await asyncpg.connect(with_database_name(server_url, first))
        await databases.give_back(first)
        with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
            await left_open.execute("select")
        with pytest.raises(asyncpg.InvalidCatalogNameError):
            await asyncpg.connect(with_database_name(server_url, first))
        assert databases.clean_copies(template_database) == is_lent_again
        second = await databases.take(template_database)
        assert await change(server_url, second, FILL) == as_new
        await databases.give_back(second)
        assert databases.clean_copies(template_database) == 1
    finally:
        await databases.drop()
