"""`killreport demo`: database, simulator, workers, API and site together, as real processes, with data of their own."""

from __future__ import annotations

import asyncio
import fcntl
import os
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape

from killreport.cli.children import Death, Family, Part
from killreport.cli.context import load_all, open_ready_database
from killreport.cli.first_jobs import run_first_jobs
from killreport.cli.memory import proportional_megabytes
from killreport.cli.serve import bind
from killreport.cli.signals import stop_on_signals
from killreport.clock import monotonic
from killreport.config import Settings, child_environment
from killreport.errors import Conflict, NotFound
from killreport.fleet.table import QUEUES
from killreport.logs import configure_logging

if TYPE_CHECKING:
    from killreport.cron.running import JobReport
    from killreport.db.database import Database

# The simulator opens with 300 killmails of the last hours, and its head, like the real one, lags by up to 52.
_OPENING_SHOWN = 240
_NAME_WIDTH = 28
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
    rate: Annotated[float, typer.Option(help="New killmails a minute.", min=0.1, max=60_000)] = 30.0,
    seed: Annotated[int, typer.Option(help="What everything made up follows from.", min=0)] = 1,
    web_port: Annotated[int | None, typer.Option(help="Port of the site; default: the setting web_port.")] = None,
    api_port: Annotated[int | None, typer.Option(help="Port of the API; default: the setting api_port.")] = None,
    sim_port: Annotated[int | None, typer.Option(help="Port of the simulator; default: the setting sim_port.")] = None,
    home: Annotated[
        Path | None,
        typer.Option(help="Folder for the demo's data; default: `demo` in the home folder.", metavar="PATH"),
    ] = None,
) -> None:
    """Show everything at work on this machine: no set-up, no services, no network.

    Made-up killmails arrive on the site as they happen. Ctrl-C stops all of it; the next start goes on where it was.
    Never touches a configured database. Example: killreport demo --rate 120 --web-port 8080
    """
    ports = {"web_port": web_port, "api_port": api_port, "sim_port": sim_port}
    settings = demo_settings(load_all().settings, home, ports)
    configure_logging("debug" if settings.log_level == "debug" else "warning", settings.log_format)
    simulator = ("sim", "--no-limits", f"--port={settings.sim_port}", f"--rate={rate:g}", f"--seed={seed}")
    replayed = corpus_arguments([*(corpus or ()), *(more_corpus or ())])
    with _only_one(settings.home):
        check_ports(settings)
        asyncio.run(Demo(settings, Part("simulator", simulator + replayed)).show())


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


def check_ports(settings: Settings) -> None:
    """Raise Conflict, naming port and option, where a port of the demo is taken or named twice."""
    options = {f"--{name.replace('_', '-')}": getattr(settings, name) for name in ("web_port", "api_port", "sim_port")}
    seen: dict[int, str] = {}
    for option, port in options.items():
        if port in seen:
            raise Conflict(f"{seen[port]} and {option} are both {port}; each part needs a port of its own.")
        seen[port] = option
    for option, port in options.items():
        bind(settings.host, port, option).close()


@contextmanager
def _only_one(home: Path) -> Iterator[None]:
    """Hold the demo's home. Raises Conflict where another demo has it."""
    try:
        home.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        lock = os.open(home / "demo.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Conflict(f"The folder {home} cannot be used ({error.strerror}); --home chooses another.") from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise Conflict(f"A demo is running in {home} already; --home chooses another folder.") from None
    finally:
        os.close(lock)


class _ToldToStop(Exception):
    """Not an error: the way out of everything that is going on."""


class Demo:
    """One demo from start to stop, telling on stdout what is up."""

    def __init__(self, settings: Settings, simulator: Part) -> None:
        self._settings = settings
        self._simulator = simulator
        self._family = Family(child_environment(settings), settings.home / "logs", self._tell_death)
        self._console = Console(highlight=False, soft_wrap=True)
        self._stop = asyncio.Event()

    async def show(self) -> None:
        """Start everything, say where the site is, and stop everything at SIGTERM or Ctrl-C.

        Raises the error of a part that could not be started, when the others are stopped again.
        """
        with stop_on_signals() as self._stop:
            async with AsyncExitStack() as stack:
                stack.push_async_callback(self._family.stop)
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(_raise_when_set(self._stop))
                        await self._start_all(group, stack)
                except* _ToldToStop:
                    self._console.print("\nStopping.")
        self._console.print("All stopped; the next `killreport demo` goes on from here.")

    async def _start_all(self, group: asyncio.TaskGroup, stack: AsyncExitStack) -> None:
        """Start what can be started side by side: the processes that need no database do not wait for it."""
        began = monotonic()
        settings = self._settings
        self._console.print(f"KillReport's demo, in {escape(str(settings.home))}\n")
        sim = group.create_task(self._start(self._simulator, f"http://{settings.host}:{settings.sim_port}"))
        database = await stack.enter_async_context(open_ready_database(settings, process="demo"))
        # Entered last, left first: nobody uses the database any more when it is closed.
        stack.push_async_callback(self._family.stop)
        self._tell_up("database", monotonic() - began, "PostgreSQL, embedded")
        api = f"http://{settings.host}:{settings.api_port}"
        site = f"http://{settings.host}:{settings.web_port}"
        backend = group.create_task(self._start(_process("killreport-backend"), f"{api}/graphql"))
        await sim
        worker = group.create_task(self._start(_process("worker-redisq"), "follows the feed"))
        await backend
        await self._start(_process("killreport-frontend"), "the site")
        await worker
        self._console.print(f"\n  Open [bold]{site}[/]  (up in {monotonic() - began:.1f} s; Ctrl-C stops it)\n")
        group.create_task(self._fill_in(database, began))

    async def _fill_in(self, database: Database, began: float) -> None:
        """Start what gives the killmails their names, with the page up already, and do once what is to be done once."""
        # Names on the page first: the fleet has characters, corporations and alliances at its head.
        for rows in (QUEUES[:_STARTED_FIRST], QUEUES[_STARTED_FIRST:]):
            await asyncio.gather(*(self._family.start(_process(row.name)) for row in rows))
        memory = proportional_megabytes([os.getpid(), *self._family.pids])
        self._tell_up(
            f"{len(QUEUES)} more workers", monotonic() - began, f"names and histories; {memory:.0f} MB in all"
        )
        await run_first_jobs(self._settings, database, stop=self._stop, on_report=self._tell_report)

    async def _start(self, part: Part, remark: str) -> None:
        self._tell_up(part.name, await self._family.start(part), remark)

    def _tell_up(self, name: str, seconds: float, remark: str) -> None:
        self._console.print(f"  {name:{_NAME_WIDTH}} [green]up[/] {seconds:6.1f} s   {escape(remark)}")

    def _tell_report(self, report: JobReport) -> None:
        self._console.print(
            f"  {report.job:{_NAME_WIDTH}} {report.status} {report.seconds:.1f} s  {escape(report.sentence)}"
        )

    def _tell_death(self, death: Death) -> None:
        again = "" if death.pause_seconds is None else f"; starting it again in {death.pause_seconds:g} s"
        lines = "".join(f"\n      {escape(line)}" for line in death.last_lines)
        self._console.print(f"  {death.part.name:{_NAME_WIDTH}} [red]{death.cause}[/]{again}{lines}")


def _process(name: str) -> Part:
    return Part(name, ("run", name))


async def _raise_when_set(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _ToldToStop
