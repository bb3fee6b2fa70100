"""`killreport db analyst`: a role that reads the views for analysts and nothing else."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Annotated, Any

import typer

from killreport.cli.context import load
from killreport.cli.output.options import AsJson
from killreport.cli.output.plain import print_answer
from killreport.config import Settings

if TYPE_CHECKING:
    from killreport.db.analyst import Analyst
    from killreport.db.database import Connection, Database

_PROCESS = "killreport-db"


def analyst(
    name: Annotated[str, typer.Option("--name", help="Name of the role.", metavar="NAME")] = "killreport_analyst",
    *,
    seconds: Annotated[int, typer.Option("--timeout", help="Seconds a statement may take.", min=1, max=86_400)] = 60,
    connections: Annotated[
        int, typer.Option("--connections", help="Connections it may have at once.", min=1, max=100)
    ] = 5,
    new_password: Annotated[bool, typer.Option("--new-password", help="Give an existing role a new password.")] = False,
    remove: Annotated[bool, typer.Option("--remove", help="Remove the role.")] = False,
    as_sql: Annotated[bool, typer.Option("--sql", help="Print the SQL statements instead of running them.")] = False,
    as_json: AsJson = False,
) -> None:
    """Create a role that can only read the views for analysts. Example: killreport db analyst

    Run it again to change the limits. A new password is printed once; the embedded server needs none.
    """
    from killreport.db.analyst import Analyst

    settings = load()
    wanted = Analyst(name, seconds, connections)
    if as_sql:
        _print_statements(wanted, settings)
        return
    told = asyncio.run(_remove(settings, wanted) if remove else _make(settings, wanted, new_password=new_password))
    if remove:
        text = f"The role {name} is gone." if told["removed"] else f"There is no role {name}."
    else:
        text = f"The role {name} is {'made' if told['new'] else 'there'}: psql '{told['url']}'"
        text += f"\nIts password, told this once: {told['password']}" if told["password"] is not None else ""
    print_answer(told, text, as_json=as_json)


def _print_statements(wanted: Analyst, settings: Settings) -> None:
    from killreport.db.server_folder import DATABASE
    from killreport.db.url import database_of

    url = settings.database_url
    database = DATABASE if url is None else database_of(url.get_secret_value())
    statements = [*wanted.role_statements(is_new=True), *wanted.grant_statements(database.replace('"', '""'))]
    print("-- The first ones by a role that may make roles, the grants by the owner of the database.")
    print("\n".join(f"{statement};" for statement in statements))
    print(f"-- And a password, where the server wants one: \\password {wanted.name}")


async def _make(settings: Settings, wanted: Analyst, *, new_password: bool) -> dict[str, Any]:
    from dataclasses import replace

    from killreport.db.analyst import make_analyst
    from killreport.db.database import open_database
    from killreport.db.url import with_user

    async with open_database(settings, process=_PROCESS) as database, database.apart() as owner:
        is_there = await owner.fetchval("select exists (select from pg_roles where rolname = $1)", wanted.name)
        # Over the embedded server's socket the kernel says who comes.
        if settings.database_url is not None and (new_password or not is_there):
            wanted = replace(wanted, password=secrets.token_urlsafe(24))
        is_new = await make_analyst(owner, _administrator(settings, database), wanted)
        return {
            "role": wanted.name,
            "new": is_new,
            "url": with_user(database.url, wanted.name),
            "password": wanted.password,
        }


async def _remove(settings: Settings, wanted: Analyst) -> dict[str, Any]:
    from killreport.db.analyst import remove_analyst
    from killreport.db.database import open_database

    async with open_database(settings, process=_PROCESS) as database, database.apart() as owner:
        removed = await remove_analyst(owner, _administrator(settings, database), wanted.name)
        return {"role": wanted.name, "removed": removed}


@asynccontextmanager
async def _administrator(settings: Settings, database: Database) -> AsyncIterator[Connection]:
    """Lend a connection that may make roles: of the embedded server's superuser, elsewhere of whoever we are."""
    from killreport.db.connection import LONG_SECONDS, connect
    from killreport.db.server_folder import SUPERUSER
    from killreport.db.url import with_user

    if settings.database_url is not None:
        async with database.apart() as connection:
            yield connection
        return
    connection = await connect(with_user(database.url, SUPERUSER), _PROCESS, seconds=LONG_SECONDS)
    try:
        yield connection
    finally:
        await connection.close()
