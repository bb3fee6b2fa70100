"""`killreport up`: the whole fleet on this machine, in this terminal."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from killreport.cli.fleet.supervisor import about_supervisor, rows_in_force, settings_in_force, supervised_fleet
from killreport.cli.output.terminal import patient_console
from killreport.cli.processes.first_jobs import run_first_jobs_told
from killreport.cli.processes.foreground import (
    PATIENCE_SECONDS,
    FleetScreen,
    foreground,
    open_database_told,
    start_told,
    tell_up,
)
from killreport.cli.processes.memory import proportional_megabytes
from killreport.clock import monotonic
from killreport.config import Settings, load_settings
from killreport.errors import Conflict, KillreportError
from killreport.logs import configure_logging
from killreport.supervisor.client import NoSupervisor
from killreport.supervisor.folder import FleetFolder

if TYPE_CHECKING:
    from killreport.supervisor.main import Supervisor

SERVED = ("killreport-backend", "killreport-frontend")


def up(
    single_process: Annotated[
        bool, typer.Option("--single-process", help="Run everything in one process, for machines with little memory.")
    ] = False,
) -> None:
    """Run all processes in this terminal until Ctrl-C.

    Uses the PostgreSQL, RabbitMQ and Redis of the settings, and embedded ones where none is set. A second Ctrl-C stops
    at once. Meanwhile, commands such as `killreport list` and `killreport reload` work from another terminal.
    """
    settings = load_settings().settings
    # What the supervisor would log is told on the screen; without one, the processes' own troubles are logged here.
    level = "warning" if single_process else "error"
    configure_logging("debug" if settings.log_level == "debug" else level, settings.log_format)
    folder = FleetFolder.make(settings.home)
    with contextlib.suppress(NoSupervisor):
        pid = about_supervisor(folder).pid
        raise Conflict(f"The fleet runs under a supervisor already (pid {pid}); killreport kill ends it.")
    if single_process:
        from killreport.cli.processes.single import run_in_one_process

        run_in_one_process(settings)
        return
    with patient_console() as console:
        asyncio.run(_show(settings, folder, console))


async def _show(settings: Settings, folder: FleetFolder, console: Console) -> None:
    began = monotonic()
    screen = FleetScreen(console, tells_trouble=True)
    settings = settings_in_force(settings, folder)
    async with foreground(console) as (stack, group, stop):
        console.print(f"KillReport, in {escape(str(settings.home))}\n")
        # Before any process: the embedded database is upgraded by one, and what a configured one lacks is said once.
        database = await open_database_told(stack, settings, screen, process="up")
        supervisor = await stack.enter_async_context(supervised_fleet(settings, folder, stop, observer=screen))
        stack.push_async_callback(supervisor.verbs.stop_all)
        rows = [row for row in rows_in_force(folder) if row.is_enabled]
        for row in rows:
            if row.kind == "job":
                await supervisor.verbs.start(row.name)
        tasks = [
            group.create_task(_start(supervisor, screen, row.name), name=row.name) for row in rows if row.kind != "job"
        ]
        # The addresses are told when somebody answers there, or is known not to; workers keep nobody waiting for long.
        if serving := [task for task in tasks if task.get_name() in SERVED]:
            await asyncio.wait(serving)
        done, _waiting = await asyncio.wait(tasks, timeout=PATIENCE_SECONDS)
        memory = proportional_megabytes(supervisor.watch.pids())
        rest = f"; {memory:.0f} MB in all, after {monotonic() - began:.1f} s"
        tell_up(console, settings, rows, {task.get_name() for task in done if task.result()}, rest)
        group.create_task(run_first_jobs_told(settings, database, supervisor, screen))
    console.print("All stopped.")


async def _start(supervisor: Supervisor, screen: FleetScreen, name: str) -> bool:
    """Start a process; one that is not ready is said and stays with the supervisor, which tries again."""
    try:
        await start_told(supervisor, screen, name)
    except KillreportError as error:
        screen.trouble(name, str(error))
        return False
    return True
