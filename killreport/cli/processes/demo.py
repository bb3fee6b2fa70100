"""`killreport demo`: database, simulator, workers, API and site together, as real processes, with data of their own."""

from __future__ import annotations

import asyncio
import os
import shlex
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AsyncExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from killreport.cli.fleet.supervisor import DEMO_LOCK, keep_settings, supervised_fleet
from killreport.cli.output.terminal import patient_console
from killreport.cli.processes.first_jobs import run_first_jobs_told
from killreport.cli.processes.foreground import FleetScreen, foreground, open_database_told, start_told
from killreport.cli.processes.memory import proportional_megabytes
from killreport.cli.processes.serve import PortTaken, bind, choose_free_ports
from killreport.clock import monotonic
from killreport.config import Settings, load_settings
from killreport.environment import child_environment, is_under_make
from killreport.errors import Conflict, NotFound
from killreport.files import try_lock
from killreport.fleet.table import FLEET, QUEUES, ProcessRow
from killreport.home import refuse_anothers_home
from killreport.logs import configure_logging
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.program import Program
from killreport.supervisor.wanted import write_wanted

if TYPE_CHECKING:
    from killreport.db.database import Database
    from killreport.supervisor.main import Supervisor

# The simulator opens with 300 killmails of the last hours, and its head, like the real one, lags by up to 52.
_OPENING_SHOWN = 240
# So many made-up kills in a row may be a lull; a feed without them for longer is silent.
LULL_MAILS = 20
MAX_NORM_SECONDS = 604_800.0
SIMULATOR = "simulator"
_STARTED_FIRST = 3


def demo(
    *,
    corpus: Annotated[
        list[Path] | None,
        typer.Option(
            help="Replay these killmails (any files `import` reads) instead of made-up ones.", metavar="PATH…"
        ),
    ] = None,
    # What a shell makes of `--corpus *.zst`: one value of the option, and the rest.
    more_corpus: Annotated[list[Path] | None, typer.Argument(hidden=True, metavar="PATH…")] = None,
    rate: Annotated[float, typer.Option(help="New killmails per minute.", min=0.1, max=60_000)] = 30.0,
    seed: Annotated[int, typer.Option(help="Seed of the random data.", min=0, max=2**31 - 1)] = 1,
    web_port: Annotated[
        int | None, typer.Option(help="Port of the site; default: the setting web_port.", min=1, max=65_535)
    ] = None,
    api_port: Annotated[
        int | None, typer.Option(help="Port of the API; default: the setting api_port.", min=1, max=65_535)
    ] = None,
    sim_port: Annotated[
        int | None, typer.Option(help="Port of the simulator; default: the setting sim_port.", min=1, max=65_535)
    ] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder for the demo's data; default: `demo` in the home folder.", metavar="PATH"),
    ] = None,
) -> None:
    """Run a demo of everything on this machine: no set-up, no services, no network.

    Made-up killmails arrive on the site as they happen. Ctrl-C stops everything; the next start continues from there.
    A configured database is never touched. Example: killreport demo --rate 120 --web-port 8080
    """
    ports = {"web_port": web_port, "api_port": api_port, "sim_port": sim_port}
    usual = load_settings().settings
    # The demo's own home is a new folder in the usual one.
    if home is None and usual.home.exists():
        refuse_anothers_home(usual.home)
    settings = demo_settings(usual, home, ports)
    refuse_anothers_home(settings.home)
    # What the supervisor would log is told on the screen.
    configure_logging("debug" if settings.log_level == "debug" else "error", settings.log_format)
    simulator = ("sim", "--no-limits", f"--port={settings.sim_port}", f"--rate={rate:g}", f"--seed={seed}")
    replayed = corpus_arguments([*(corpus or ()), *(more_corpus or ())])
    # A slow demo is not silent.
    norm = min(max(settings.feed_silence_seconds, LULL_MAILS * 60 / rate), MAX_NORM_SECONDS)
    settings = settings.replace(feed_silence_seconds=norm)
    with _only_one(settings.home):
        check_ports(settings, sys.argv[2:])
        with patient_console() as console:
            asyncio.run(Demo(settings, simulator + replayed, console).show())


def corpus_arguments(paths: list[Path]) -> tuple[str, ...]:
    """Return the simulator's arguments for replaying these files. Raises NotFound."""
    for path in paths:
        if not path.exists():
            raise NotFound(f"There is no file {path} to replay.")
    return tuple(f"--corpus={path.absolute()}" for path in paths)


def demo_settings(settings: Settings, home: Path | None, ports: dict[str, int | None]) -> Settings:
    """Return the settings of a demo: data apart from the real, every outside host replaced by the simulator.

    ports: by the setting's name; None leaves the setting as it is.
    """
    chosen = {name: port for name, port in ports.items() if port is not None}
    simulator = f"http://{settings.host}:{chosen.get('sim_port', settings.sim_port)}"
    return settings.replace(
        home=(home or settings.home / "demo").absolute(),
        database_url=None,
        broker_url=None,
        redis_url=None,
        api_url=None,
        feed="r2z2",
        r2z2_url=simulator,
        redisq_url=simulator,
        zkillboard_url=simulator,
        esi_url=simulator,
        everef_url=simulator,
        static_data_url=f"{simulator}/static-data",
        # Fifteen processes share the database of the demo.
        database_pool_size=3,
        # Politeness is for other people's servers: here a kill is to be on the page soon after it happened.
        feed_wait_seconds=1.0,
        feed_requests_per_second=200.0,
        feed_behind=_OPENING_SHOWN,
        esi_requests_per_second=2000.0,
        zkillboard_seconds=0.5,
        **chosen,
    )


def check_ports(settings: Settings, arguments: Sequence[str] = ()) -> None:
    """Raise Conflict where ports of the demo are taken or named twice. arguments: with which the demo was called."""
    options = {f"--{name.replace('_', '-')}": getattr(settings, name) for name in ("web_port", "api_port", "sim_port")}
    seen: dict[int, str] = {}
    for option, port in options.items():
        if port in seen:
            raise Conflict(f"{seen[port]} and {option} are both {port}; each part needs a port of its own.")
        seen[port] = option
    taken = []
    for option, port in options.items():
        try:
            bind(settings.host, port, option).close()
        except PortTaken:
            taken.append(option)
    if taken:
        raise Conflict(_advice(settings.host, options, taken, arguments))


def _advice(host: str, options: Mapping[str, int], taken: Sequence[str], arguments: Sequence[str]) -> str:
    """Return which ports are in use, all at once, and a command that works as it is typed."""
    ports = [str(options[option]) for option in taken]
    free = choose_free_ports(host, [options[option] for option in taken], set(options.values()))
    chosen = [f"{option}={port}" for option, port in zip(taken, free, strict=True)]
    typed = " ".join([*_without(arguments, taken), *chosen])
    command = f'make demo ARGS="{typed}"' if is_under_make() else f"killreport demo {typed}"
    several = f"Ports {', '.join(ports[:-1])} and {ports[-1]} are" if len(ports) > 1 else f"Port {ports[0]} is"
    return f"{several} in use on {host}. This takes others: {command}"


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the demo's home. Raises Conflict where another demo has it."""
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        held = try_lock(home / DEMO_LOCK)
    except OSError as error:
        raise Conflict(f"The folder {home} cannot be used ({error.strerror}); --home chooses another.") from None
    if held is None:
        raise Conflict(f"A demo is running in {home} already; --home chooses another folder.")
    try:
        yield
    finally:
        os.close(held)


def _without(arguments: Sequence[str], options: Sequence[str]) -> list[str]:
    """Return the arguments, as a shell takes them, without these options and their values."""
    left: list[str] = []
    is_value = False
    for argument in arguments:
        if is_value or argument.partition("=")[0] in options:
            is_value = not is_value and "=" not in argument
            continue
        left.append(shlex.quote(argument))
    return left


class Demo:
    """One demo from start to stop, telling on stdout what is up."""

    def __init__(self, settings: Settings, simulator: tuple[str, ...], console: Console) -> None:
        self._settings = settings
        self._console = console
        self._screen = FleetScreen(self._console, tells_trouble=False)
        self._folder = FleetFolder.make(settings.home)
        keep_settings(settings, self._folder)
        self._simulator = simulator_program(simulator, child_environment(settings))

    def _with_simulator(self, programs: Sequence[Program]) -> list[Program]:
        # They end with us even when we are killed: whoever removes the folder of a demo wants nothing to live in it.
        return [replace(program, dies_with_supervisor=True) for program in (self._simulator, *programs)]

    async def show(self) -> None:
        """Start everything, say where the site is, and stop everything at SIGTERM or Ctrl-C.

        Raises the error of a part that could not be started, when the others are stopped again.
        """
        async with foreground(self._console) as (stack, group, stop):
            self._console.print(f"KillReport's demo, in {escape(str(self._settings.home))}\n")
            # What runs is decided here, step by step, not by what ran the last time.
            write_wanted(self._folder.wanted, {})
            fleet = supervised_fleet(
                self._settings, self._folder, stop, observer=self._screen, changed=self._with_simulator
            )
            supervisor = await stack.enter_async_context(fleet)
            stack.push_async_callback(supervisor.verbs.stop_all)
            await self._start_all(supervisor, group, stack)
        self._console.print("All stopped; the next `killreport demo` goes on from here.")

    async def _start_all(self, supervisor: Supervisor, group: asyncio.TaskGroup, stack: AsyncExitStack) -> None:
        """Start what can be started side by side: the processes that need no database do not wait for it."""
        began = monotonic()
        settings = self._settings

        def start(name: str, remark: str) -> asyncio.Task[None]:
            return group.create_task(start_told(supervisor, self._screen, name, remark))

        simulator = start(SIMULATOR, f"http://{settings.host}:{settings.sim_port}")
        database = await open_database_told(stack, settings, self._screen, process="demo")
        # Entered last, left first: nobody uses the database any more when it is closed.
        stack.push_async_callback(supervisor.verbs.stop_all)
        backend = start("killreport-backend", f"http://{settings.host}:{settings.api_port}/graphql")
        await simulator
        worker = start("worker-redisq", "follows the feed")
        await backend
        site = f"http://{settings.host}:{settings.web_port}"
        await start("killreport-frontend", "the site")
        await worker
        self._console.print(f"\n  Open [bold]{site}[/]  (up in {monotonic() - began:.1f} s; Ctrl-C stops it)\n")
        group.create_task(self._fill_in(supervisor, database, began))

    async def _fill_in(self, supervisor: Supervisor, database: Database, began: float) -> None:
        """Start what gives the killmails their names, with the page up already, and do once what is to be done once."""
        # Names on the page first: the fleet has characters, corporations and alliances at its head.
        for rows in (QUEUES[:_STARTED_FIRST], QUEUES[_STARTED_FIRST:]):
            await asyncio.gather(*(supervisor.verbs.start(row.name) for row in rows))
        for row in FLEET:
            if row.kind == "job":
                await supervisor.verbs.start(row.name)
        memory = proportional_megabytes(supervisor.watch.pids())
        self._screen.up(
            f"{len(QUEUES)} more workers", monotonic() - began, f"names and histories; {memory:.0f} MB in all"
        )
        await run_first_jobs_told(self._settings, database, supervisor, self._screen)


def simulator_program(arguments: tuple[str, ...], environment: Mapping[str, str]) -> Program:
    """Return the simulator as a process like those of the fleet."""
    row = ProcessRow(name=SIMULATOR, kind="service", description="New Eden in a box", memory_limit_mb=1024)
    command = (sys.executable, "-m", "killreport", *arguments)
    return Program(row=row, command=command, environment=environment, arguments=arguments)
