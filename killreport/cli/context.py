"""What every command starts from: the settings, the log, and a database whose schema and static data are there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from killreport.config import LoadedSettings, Settings, find_home, load_settings
from killreport.errors import BadSetting, Conflict
from killreport.home import refuse_locked_home
from killreport.terminal import in_lines

if TYPE_CHECKING:
    from killreport.db.database import Connection, Database

_RESULT = TypeVar("_RESULT")


def load_all() -> LoadedSettings:
    """Return the settings with their sources; a bad one ends the program with a sentence on stderr and status 2."""
    try:
        return load_settings()
    except BadSetting as error:
        print(f"killreport: {in_lines(str(error))}", file=sys.stderr)
        raise typer.Exit(2) from None


def load(process: str | None = None, *, splits_log: bool = False) -> Settings:
    """Return the settings, with the log set up as they say; a bad one ends the program like `load_all`.

    process: bound to every log line. splits_log: what is no warning goes to stdout.
    """
    from killreport.logs import configure_logging

    settings = load_all().settings
    configure_logging(settings.log_level, settings.log_format, process, splits=splits_log)
    return settings


def load_home() -> Path:
    """Return the home folder, also where another setting is bad, which is said on stderr; for the verbs that need no
    setting. A bad home ends the program like `load_all`. Raises Refused where this user may not look at the fleet.
    """
    from killreport.logs import configure_logging

    try:
        home, mistake = find_home()
    except BadSetting as error:
        print(f"killreport: {in_lines(str(error))}", file=sys.stderr)
        raise typer.Exit(2) from None
    if mistake:
        print(f"What is set here cannot be used; what runs goes on as it is. {in_lines(mistake)}", file=sys.stderr)
        configure_logging("info", "auto")
    else:
        load()
    refuse_locked_home(home)
    return home


def tell_contact(settings: Settings) -> str | None:
    """Return what to say where no contact is set; None where one is."""
    if settings.contact:
        return None
    return (
        "KILLREPORT_CONTACT is not set: the hosts that are asked want an e-mail address or a page in the User-Agent, "
        "and may block who gives none."
    )


@asynccontextmanager
async def open_ready_database(
    settings: Settings, *, process: str, seconds: float | None = None
) -> AsyncIterator[Database]:
    """Lend the database once its schema is this release's and its static data is there.

    The embedded database is upgraded on the way; a configured one belongs to an operator, who upgrades it when it
    suits. Raises Conflict where that has not happened, Unavailable where the database does not answer.
    seconds: the time a statement has; None: hours, as for what is done once.
    """
    from killreport.db.connection import LONG_SECONDS
    from killreport.db.database import open_database
    from killreport.db.migrate import pending_migrations, upgrade
    from killreport.eve.seed import load_seed

    async with open_database(settings, process=process, seconds=seconds or LONG_SECONDS) as database:
        async with database.apart() as connection:
            pending = await pending_migrations(connection)
            if pending and settings.database_url is not None:
                raise Conflict(
                    f"The database is {len(pending)} migration{'s' if len(pending) > 1 else ''} behind this release: "
                    "run killreport db upgrade."
                )
            if pending:
                await upgrade(connection)
            await load_seed(connection)
        yield database


def ask_database(process: str, work: Callable[[Connection], Awaitable[_RESULT]]) -> _RESULT:
    """Do the work on a connection of the ready database and return what it returns."""

    async def run() -> _RESULT:
        async with open_ready_database(load(), process=process) as database, database.connection() as connection:
            return await work(connection)

    return asyncio.run(run())
