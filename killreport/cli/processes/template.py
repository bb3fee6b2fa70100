"""`killreport template`: what the supervisor forks the fleet's processes from. Not for people."""

from __future__ import annotations

import socket
import sys
from collections.abc import Callable
from functools import partial
from importlib import import_module
from typing import Annotated

import typer

from killreport.config import Settings, load_settings
from killreport.fleet.entries import entry_of
from killreport.fleet.table import FLEET

# What commands import when they run, to be quick to start: here it is to be there before.
_SHARED = (
    "uvloop",
    "killreport.api.app",
    "killreport.coordination.events",
    "killreport.cli.processes.serve",
    "killreport.cli.signals",
    "killreport.cron.running",
    "killreport.db.database",
    "killreport.db.migrate",
    "killreport.eve.seed",
    "killreport.logs",
    "killreport.queueing.embedded",
    "killreport.web.app",
)


def warm_up(settings: Settings, tell: Callable[[str], None]) -> None:
    """Import what the processes need with these settings, and nothing they do not; read what they share.

    tell: told how far that has come, before each step.
    """
    names = [*_SHARED]
    names += sorted({entry_of(row)[0] for row in FLEET if row.kind != "service"})
    if settings.broker_url is not None:
        names.append("killreport.queueing.rabbit")
    if settings.redis_url is not None:
        names.append("redis.asyncio")
    for number, name in enumerate(names):
        tell(f"importing part {number + 1} of {len(names)}")
        import_module(name)
    from killreport.eve.load import keep_packaged_universe
    from killreport.search.static import static_names

    tell("reading the static data")
    static_names(keep_packaged_universe())


def template(
    descriptor: Annotated[int, typer.Argument(help="The supervisor's socket.", metavar="DESCRIPTOR")],
) -> None:
    """Import the product, then fork a process for every request of the supervisor. Run by it, not by people."""
    from killreport.cli.main import status_of
    from killreport.supervisor.process.forking import say_warming, wait_for_fork

    connection = socket.socket(fileno=descriptor)
    warm_up(load_settings().settings, partial(say_warming, connection))
    arguments = wait_for_fork(connection)
    sys.argv[1:] = arguments
    raise SystemExit(status_of(arguments))
