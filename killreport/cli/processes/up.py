"""`killreport up`: the whole fleet on this machine, in this terminal."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Container
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from killreport.cli.context import open_ready_database, tell_contact
from killreport.cli.fleet.supervisor import (
    about_supervisor,
    apply_overrides,
    first_programs,
    settings_in_force,
    template_of,
)
from killreport.cli.output.terminal import patient_console
from killreport.cli.processes.first_jobs import run_first_jobs_told
from killreport.cli.processes.foreground import FleetScreen, foreground, start_told
from killreport.cli.processes.memory import proportional_megabytes
from killreport.clock import monotonic
from killreport.config import Settings, load_settings
from killreport.errors import Conflict, KillreportError
from killreport.fleet.notify import telling_wait
from killreport.logs import configure_logging
from killreport.supervisor.client import NoSupervisor
from killreport.supervisor.folder import FleetFolder

if TYPE_CHECKING:
    from killreport.supervisor.main import Supervisor

# How long the addresses wait for processes that are not ready yet.
PATIENCE_SECONDS = 10.0
SERVED = ("killreport-backend", "killreport-frontend")


def up(
    single_process: Annotated[
        bool, typer.Option("--single-process", help="Everything in one process, for a machine with little memory.")
    ] = False,
) -> None:
    """Run the whole fleet in this terminal, with the services configured or brought along, until Ctrl-C.

    A second Ctrl-C does not wait. Commands such as `killreport list` and `reload` work from another terminal meanwhile.
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

        run_in_one_process(settings, partial(addresses, settings))
        return
    with patient_console() as console:
        asyncio.run(_show(settings, folder, console))


async def _show(settings: Settings, folder: FleetFolder, console: Console) -> None:
    from killreport.supervisor.main import supervising

    began = monotonic()
    screen = FleetScreen(console, tells_trouble=True)
    settings = settings_in_force(settings, folder)
    template = template_of(settings, folder)
    async with foreground(console) as (stack, group, stop):
        console.print(f"KillReport, in {escape(str(settings.home))}\n")
        # Before any process: the embedded database is upgraded by one, and what a configured one lacks is said once.
        async with telling_wait("is being prepared", partial(screen.waiting, "database")):
            database = await stack.enter_async_context(open_ready_database(settings, process="up"))
        which = "embedded" if settings.database_url is None else "configured"
        screen.up("database", monotonic() - began, f"PostgreSQL, {which}")
        programs = first_programs(settings, folder)
        rows = [program.row for program in programs if program.row.is_enabled]
        supervisor = await stack.enter_async_context(
            supervising(
                programs,
                folder,
                stop,
                read_programs=partial(apply_overrides, settings, folder),
                template=template,
                disk_warning_mb=settings.disk_warning_mb,
                observer=screen,
            )
        )
        stack.push_async_callback(supervisor.verbs.stop_all)
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
        running = sum(task.result() for task in done)
        memory = proportional_megabytes(supervisor.watch.pids())
        summary = f"{running} of {len(tasks)} processes up, {len(rows) - len(tasks)} jobs on their schedule"
        console.print(f"\n  {summary}; {memory:.0f} MB in all, after {monotonic() - began:.1f} s")
        up = {task.get_name() for task in done if task.result()}
        console.print(f"  {addresses(settings, up)}\n")
        if (sentence := tell_contact(settings)) is not None:
            console.print(f"  [yellow]{sentence}[/]\n")
        group.create_task(run_first_jobs_told(settings, database, supervisor, screen))
    console.print("All stopped.")


def addresses(settings: Settings, up: Container[str]) -> str:
    """Return the line of the addresses that a browser and a client need. up: the names of those that answer there.

    Where a port is taken somebody else answers, whose address is not ours to give.
    """
    places = {
        "killreport-frontend": ("Site", f"http://{settings.host}:{settings.web_port}"),
        "killreport-backend": ("API", f"http://{settings.host}:{settings.api_port}/graphql"),
    }
    told = [
        f"{title} [bold]{address}[/]" if name in up else f"[red]{title} not up[/]"
        for name, (title, address) in places.items()
    ]
    return f"{'   '.join(told)}   (Ctrl-C stops everything)"


async def _start(supervisor: Supervisor, screen: FleetScreen, name: str) -> bool:
    """Start a process; one that is not ready is said and stays with the supervisor, which tries again."""
    try:
        await start_told(supervisor, screen, name)
    except KillreportError as error:
        screen.trouble(name, str(error))
        return False
    return True
