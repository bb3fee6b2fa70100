"""What every command starts from: the settings, the log, and a database whose schema and static data are there."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, TypeVar

from killreport.config import Settings, find_home, load_settings
from killreport.errors import Conflict
from killreport.home import refuse_locked_home
from killreport.supervisor.folder import FleetFolder
from killreport.terminal import in_lines

if TYPE_CHECKING:
    from killreport.db.database import Connection, Database

_RESULT = TypeVar("_RESULT")


def load(process: str | None = None, *, splits_log: bool = False) -> Settings:
    """Return the settings, with the log set up as they say. Raises BadSetting.

    process: bound to every log line. splits_log: what is no warning goes to stdout.
    """
    from killreport.logs import configure_logging

    settings = load_settings().settings
    configure_logging(settings.log_level, settings.log_format, process, splits=splits_log)
    return settings


def fleet_folder() -> FleetFolder:
    """Return the fleet's folder, also where another setting than the home is bad, which is said on stderr; for the
    verbs that need no setting. Raises BadSetting, or Refused where this user may not look at the fleet.
    """
    from killreport.logs import configure_logging

    home, mistake = find_home()
    if mistake:
        print(f"What is set here cannot be used; what runs goes on as it is. {in_lines(mistake)}", file=sys.stderr)
        configure_logging("info", "auto")
    else:
        load()
    refuse_locked_home(home)
    return FleetFolder.at(home)


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
    from killreport.killmail.writing.moving import move_before_switch

    async with open_database(settings, process=process, seconds=seconds or LONG_SECONDS) as database:
        async with database.apart() as connection:
            pending = await pending_migrations(connection)
            if pending and settings.database_url is not None:
                raise Conflict(
                    f"The database is {len(pending)} migration{'s' if len(pending) > 1 else ''} behind this release: "
                    "run killreport db upgrade."
                )
            if pending:
                await upgrade(connection, preparations=move_before_switch(lambda _moved: None))
            await load_seed(connection)
        yield database


def with_database(process: str, work: Callable[[Settings, Database], Awaitable[_RESULT]]) -> _RESULT:
    """Do the work with the ready database and return what it returns."""
    settings = load(process)

    async def run() -> _RESULT:
        async with open_ready_database(settings, process=process) as database:
            return await work(settings, database)

    return asyncio.run(run())


def ask_database(process: str, work: Callable[[Connection], Awaitable[_RESULT]]) -> _RESULT:
    """Do the work on a connection of the ready database and return what it returns."""

    async def ask(_settings: Settings, database: Database) -> _RESULT:
        async with database.connection() as connection:
            return await work(connection)

    return with_database(process, ask)
