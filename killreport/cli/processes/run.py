"""`killreport run NAME`: one process of the fleet, in the foreground."""

from __future__ import annotations

import asyncio
import faulthandler
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from killreport.cli.context import load, open_ready_database
from killreport.cli.fleet.names import ProcessName
from killreport.config import Settings, load_settings
from killreport.environment import add_to_environment
from killreport.errors import HostAway, Refused
from killreport.fleet.entries import entry_of
from killreport.fleet.notify import feeding_watchdog, notify_stopping
from killreport.fleet.overrides import FILE_NAME, fleet_rows
from killreport.fleet.schedule import AWAY_STATUS, BROKEN_OFF_STATUS
from killreport.fleet.table import ProcessRow, find_process
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.slot import sign_out
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.cron.running import JobReport
    from killreport.db.database import Database


async def _run_backend(settings: Settings, rows: Sequence[ProcessRow], stop: asyncio.Event) -> None:
    from killreport.api.app import create_app
    from killreport.cli.collector import calm_collector
    from killreport.cli.processes.serve import bind, serve
    from killreport.door.connection_limit import ConnectionLimit

    with bind(settings.host, settings.api_port, "KILLREPORT_API_PORT") as listener:
        # Whoever asked has gone by then.
        seconds = settings.api_timeout_seconds
        async with open_ready_database(settings, process="killreport-backend", seconds=seconds) as database:
            app = create_app(settings, database, rows)
            await serve(app, listener, stop, calm_collector, connection_limit=ConnectionLimit.of(settings))


async def _run_frontend(settings: Settings, _rows: Sequence[ProcessRow], stop: asyncio.Event) -> None:
    from killreport.cli.processes.serve import bind, serve
    from killreport.door.connection_limit import ConnectionLimit
    from killreport.web.app import create_app

    with bind(settings.host, settings.web_port, "KILLREPORT_WEB_PORT") as listener:
        await serve(create_app(settings), listener, stop, connection_limit=ConnectionLimit.of(settings))


SERVICES: dict[str, Callable[[Settings, Sequence[ProcessRow], asyncio.Event], Awaitable[None]]] = {
    "killreport-backend": _run_backend,
    "killreport-frontend": _run_frontend,
}


# Jobs that leave something out as long as it is not due.
_WITH_ALL = ("queue-characters", "update-rankings")


def run(  # noqa: PLR0917 - options of a command
    name: ProcessName,
    once: Annotated[
        bool, typer.Option("--once", help="Workers only: exit as soon as there is nothing left to do.")
    ] = False,
    everything: Annotated[
        bool,
        typer.Option(
            "--all",
            help="queue-characters: queue everyone, not only who changed or is stale. update-rankings: also count busy"
            " places over all time, even if not due.",
        ),
    ] = False,
    if_due: Annotated[
        bool, typer.Option("--if-due", help="Jobs only: run only if due since the last run, by the schedule.")
    ] = False,
    memory_limit: Annotated[
        int | None,
        typer.Option(
            "--memory-limit",
            help="Exit cleanly above this many MB, for process managers that can only kill.",
            min=64,
            max=1_000_000,
        ),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Jobs only: print the report as JSON.")] = False,
    split_log: Annotated[
        bool,
        typer.Option("--split-log", help="Jobs only: log everything below a warning to stdout, before the report."),
    ] = False,
    overrides: Annotated[
        Path | None, typer.Option(help="File with overrides; default: fleet.toml in the home folder.")
    ] = None,
) -> None:
    """Run one process of the fleet: services and workers until SIGTERM or Ctrl-C, jobs until they are done.

    Examples: killreport run worker-characters --once; killreport run queue-alliances --json
    """
    import uvloop

    process = find_process(name)
    _refuse(process, once=once, everything=everything, if_due=if_due)
    home = load_settings().settings.home
    rows = fleet_rows(home, overrides)
    process = find_process(name, rows)
    if not process.is_enabled:
        raise Refused(f"{name} is disabled in {overrides or home / FILE_NAME}; killreport fleet edit opens it.")
    add_to_environment(process.environment)
    settings = load(process=process.name, splits_log=split_log or process.kind != "job")
    how = _How(once=once, everything=everything, if_due=if_due, memory_limit_mb=memory_limit)
    # A manager that ends a process which hangs does so with SIGABRT: the log then has where it hung.
    faulthandler.enable()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner, _signing_out(home, process):
        report = runner.run(_run_until_told(process, rows, settings, how))
        if report is not None:
            typer.echo(report.to_json() if as_json else printable(report.sentence))
            if report.status == "stopped":
                raise typer.Exit(BROKEN_OFF_STATUS)


@contextmanager
def _signing_out(home: Path, process: ProcessRow) -> Iterator[None]:
    """Have a job write down how it ends, for a supervisor that is not its parent. Unwritten: it was broken off."""
    slots, status = FleetFolder.at(home).slots, None
    try:
        yield
        status = 0
    except typer.Exit as error:
        status = error.exit_code
        raise
    except HostAway as error:
        status = AWAY_STATUS
        if process.kind != "job":
            raise
        # Told apart from a failure of ours: whoever keeps the schedule tries it again before its next time.
        print(f"killreport: {printable(str(error))}", file=sys.stderr)
        raise typer.Exit(AWAY_STATUS) from None
    except Exception:
        status = 1
        raise
    finally:
        if process.kind == "job" and status is not None:
            sign_out(slots, status)


def _refuse(process: ProcessRow, *, once: bool, everything: bool, if_due: bool) -> None:
    """Raise Refused for an option that is not for this process."""
    if once and process.kind != "worker":
        raise Refused(f"--once is for workers; {process.name} is a {process.kind}.")
    if everything and process.name not in _WITH_ALL:
        raise Refused(f"--all is for {' and '.join(_WITH_ALL)}; {process.name} has no such choice.")
    if if_due and process.kind != "job":
        raise Refused(f"--if-due is for jobs; {process.name} is a {process.kind}.")


@dataclass(frozen=True)
class _How:
    """The options of `run`."""

    once: bool
    everything: bool
    if_due: bool
    memory_limit_mb: int | None


async def _run_until_told(
    process: ProcessRow, rows: Sequence[ProcessRow], settings: Settings, how: _How
) -> JobReport | None:
    from killreport.cli.processes.recycling import RECYCLED, memory_limit, recycling
    from killreport.cli.signals import stop_on_signals

    with stop_on_signals(notify_stopping) as stop:
        if process.kind == "job":
            async with open_ready_database(settings, process=process.name) as database:
                return await _run_job(process, settings, database, stop, how)
        limit_mb = memory_limit(process, settings, how.memory_limit_mb)
        async with feeding_watchdog(), recycling(limit_mb, stop) as is_recycled:
            await run_entry(process, rows, settings, stop, once=how.once)
        if is_recycled.is_set():
            raise SystemExit(RECYCLED)
        return None


async def run_entry(
    process: ProcessRow, rows: Sequence[ProcessRow], settings: Settings, stop: asyncio.Event, *, once: bool
) -> None:
    """Be this service or worker until `stop` is set and what is in hand is done. Raises what ends it before."""
    from killreport.db.connection import WRITE_SECONDS

    if process.kind == "service":
        await SERVICES[process.name](settings, rows, stop)
        return
    async with open_ready_database(settings, process=process.name, seconds=WRITE_SECONDS) as database:
        module, function = entry_of(process)
        await getattr(import_module(module), function)(settings, database, stop=stop, once=once, row=process)


async def _run_job(
    process: ProcessRow, settings: Settings, database: Database, stop: asyncio.Event, how: _How
) -> JobReport:
    from killreport.coordination.job_runs import present_instant
    from killreport.cron.running import run_job

    if_due_at = None
    if how.if_due:
        async with database.connection() as connection:
            if_due_at = await present_instant(connection)
    return await run_job(
        process.name,
        settings,
        database,
        stop=stop,
        everything=how.everything,
        trigger="schedule" if how.if_due else "hand",
        if_due_at=if_due_at,
    )
