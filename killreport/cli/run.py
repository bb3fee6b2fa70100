"""`killreport run NAME`: one process of the fleet, in the foreground."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated, Protocol, cast

import typer

from killreport.cli.context import load, open_ready_database
from killreport.config import Settings
from killreport.errors import Refused
from killreport.fleet.notify import notify_stopping
from killreport.fleet.table import ProcessRow, find_process

if TYPE_CHECKING:
    from killreport.cron.running import JobReport
    from killreport.db.database import Database


class Worker(Protocol):
    """What a module of `killreport.workers` named after a worker offers."""

    def run(self, settings: Settings, database: Database, *, stop: asyncio.Event, once: bool) -> Awaitable[None]:
        """Say READY when the work has begun, work until `stop` is set, then finish what is in hand and return.

        once: return as soon as there is nothing to do.
        """


async def _run_backend(settings: Settings, stop: asyncio.Event) -> None:
    from killreport.api.app import create_app
    from killreport.cli.serve import bind, serve

    with bind(settings.host, settings.api_port, "KILLREPORT_API_PORT") as listener:
        async with open_ready_database(settings, process="killreport-backend") as database:
            await serve(create_app(settings, database), listener, stop)


async def _run_frontend(settings: Settings, stop: asyncio.Event) -> None:
    from killreport.cli.serve import bind, serve
    from killreport.web.app import create_app

    with bind(settings.host, settings.web_port, "KILLREPORT_WEB_PORT") as listener:
        await serve(create_app(settings), listener, stop)


SERVICES: dict[str, Callable[[Settings, asyncio.Event], Awaitable[None]]] = {
    "killreport-backend": _run_backend,
    "killreport-frontend": _run_frontend,
}


def module_of(row: ProcessRow) -> str:
    """Return the module that does a worker's or a job's work: each is one file, named after it."""
    if row.kind == "worker":
        return f"killreport.workers.{row.name.removeprefix('worker-').replace('-', '_')}"
    return f"killreport.cron.{row.name.replace('-', '_')}"


def run(
    name: Annotated[str, typer.Argument(help="Name of the process, for example worker-redisq or queue-alliances.")],
    once: Annotated[bool, typer.Option("--once", help="A worker: end as soon as there is nothing left to do.")] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="queue-characters: queue everyone, not only who changed or is stale.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="A job: print its report as JSON.")] = False,
) -> None:
    """Run one process of the fleet: services and workers until SIGTERM or Ctrl-C, jobs until they are done.

    For example: killreport run worker-characters --once; killreport run queue-alliances --json
    """
    import uvloop

    process = find_process(name)
    if process.kind != "service" and find_spec(module_of(process)) is None:
        raise Refused(f"{name} is a name this version reserves: its program comes with a later one.")
    if once and process.kind != "worker":
        raise Refused(f"--once is for workers; {name} is a {process.kind}.")
    if everything and process.name != "queue-characters":
        raise Refused(f"--all is for queue-characters; {name} has no such choice.")
    settings = load(process=process.name)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        report = runner.run(_run_until_told(process, settings, once=once, everything=everything))
    if report is not None:
        typer.echo(report.to_json() if as_json else report.sentence)


async def _run_until_told(process: ProcessRow, settings: Settings, *, once: bool, everything: bool) -> JobReport | None:
    from killreport.cli.recycling import RECYCLED, recycling
    from killreport.cli.signals import stop_on_signals

    with stop_on_signals(notify_stopping) as stop:
        if process.kind == "job":
            async with open_ready_database(settings, process=process.name) as database:
                return await _run_job(process, settings, database, stop, everything=everything)
        limit_mb = process.memory_limit_mb if settings.memory_limit_mb is None else settings.memory_limit_mb
        async with recycling(limit_mb, stop) as is_recycled:
            await run_entry(process, settings, stop, once=once)
        if is_recycled.is_set():
            raise SystemExit(RECYCLED)
        return None


async def run_entry(process: ProcessRow, settings: Settings, stop: asyncio.Event, *, once: bool) -> None:
    """Be this service or worker until `stop` is set and what is in hand is done. Raises what ends it before."""
    if process.kind == "service":
        await SERVICES[process.name](settings, stop)
        return
    async with open_ready_database(settings, process=process.name) as database:
        worker = cast(Worker, import_module(module_of(process)))
        await worker.run(settings, database, stop=stop, once=once)


async def _run_job(
    process: ProcessRow, settings: Settings, database: Database, stop: asyncio.Event, *, everything: bool
) -> JobReport:
    from killreport.cron.running import run_job

    return await run_job(process.name, settings, database, stop=stop, everything=everything)
