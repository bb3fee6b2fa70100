"""What commands share that run a fleet in this terminal: the way out by Ctrl-C, and what is told on the screen."""

from __future__ import annotations

import asyncio
import signal
from collections import deque
from collections.abc import AsyncIterator, Container, Sequence, Set
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from typing import TYPE_CHECKING

from rich.console import Console
from rich.markup import escape

from killreport.cli.context import open_ready_database, tell_contact
from killreport.cli.fleet.logs import LogLine, in_words
from killreport.cli.signals import stop_on_signals
from killreport.clock import monotonic
from killreport.config import Settings
from killreport.errors import KillreportError
from killreport.fleet.notify import telling_wait
from killreport.fleet.table import ProcessRow
from killreport.terminal import printable

if TYPE_CHECKING:
    from killreport.db.database import Database
    from killreport.supervisor.main import Supervisor

NAME_WIDTH = 28
SHOWN_LINES = 10
# How long the addresses wait for processes that are not ready yet.
PATIENCE_SECONDS = 10.0
# After so long a start is told of though it is not done, and again after as long.
TELL_SECONDS = 5.0


class _ToldToStop(Exception):
    """Not an error: the way out of everything that is going on."""


@asynccontextmanager
async def foreground(console: Console) -> AsyncIterator[tuple[AsyncExitStack, asyncio.TaskGroup, asyncio.Event]]:
    """Run the block until SIGTERM or Ctrl-C, or until the event lent is set; then leave the stack that it filled.

    A second signal cancels what leaving the stack does. What tasks of the group raise ends the block too.
    """
    with stop_on_signals() as stop:
        async with AsyncExitStack() as stack:
            try:
                async with asyncio.TaskGroup() as group:
                    group.create_task(_raise_when_set(stop))
                    yield stack, group, stop
            except* _ToldToStop:
                console.print("\nStopping.")


async def _raise_when_set(stop: asyncio.Event) -> None:
    await stop.wait()
    raise _ToldToStop


class FleetScreen:
    """The supervisor's observer, who tells on the terminal. tells_trouble: also warnings that processes log."""

    def __init__(self, console: Console, *, tells_trouble: bool) -> None:
        self._console = console
        self._tells_trouble = tells_trouble
        self._last: dict[str, deque[str]] = {}

    def up(self, name: str, seconds: float, remark: str = "") -> None:
        """Tell that something works, and how long that took."""
        self._say(name, f"[green]up[/] {seconds:6.1f} s   {escape(remark)}")

    def waiting(self, name: str, said: str) -> None:
        """Tell what takes the time while something is started."""
        self._say(name, f"[dim]{escape(printable(said))}[/]")

    def job_ended(self, name: str, word: str, seconds: float, said: str) -> None:
        """Tell how a run of a job ended, and what it said last."""
        shown = word if word != "failed" else "[red]failed[/]"
        self._say(name, f"{shown} {seconds:.1f} s  {escape(printable(said))}")

    def trouble(self, name: str, sentence: str) -> None:
        """Tell what is wrong with a process."""
        self._say(name, f"[red]{escape(printable(sentence))}[/]")

    def last_words(self, name: str) -> None:
        """Tell what the process wrote last, unless that was told."""
        for line in self._last.pop(name, ()):
            self._console.print(f"      {escape(printable(line))}")

    def on_lines(self, process: str, stream: str, lines: bytes) -> None:
        """Remember the last lines, and tell the troubles among them where that is wanted."""
        last = self._last.setdefault(process, deque(maxlen=SHOWN_LINES))
        for text in lines.decode(errors="replace").splitlines():
            if self._tells_trouble and LogLine("", process, stream, text).is_trouble:
                self._say(process, f"[yellow]{escape(printable(in_words(text)))}[/]")
            else:
                last.append(text)

    def on_end(self, process: str, status: int | None, pause_seconds: float | None) -> None:
        """Tell that a process ended without being told to, with its last words."""
        again = "" if pause_seconds is None else f"; starting it again in {pause_seconds:.1f} s"
        self._say(process, f"[red]{_cause(status)}[/]{again}")
        self.last_words(process)

    def _say(self, name: str, markup: str) -> None:
        self._console.print(f"  {name:{NAME_WIDTH}} {markup}")


async def start_told(supervisor: Supervisor, screen: FleetScreen, name: str, remark: str = "") -> None:
    """Start a process and tell when it is ready, and until then what takes the time.

    Raises Unavailable, after its last words were told.

    Cancelled, the start itself goes on to where stopping everything finds it: what is half started cannot be ended.
    """
    began, told = monotonic(), ""
    starting = asyncio.create_task(supervisor.verbs.start(name), name=f"start {name}")
    starting.add_done_callback(lambda task: task.cancelled() or task.exception())
    while not (await asyncio.wait({starting}, timeout=TELL_SECONDS))[0]:
        said = "; ".join(state.said for state in supervisor.verbs.states() if state.name == name and state.said)
        if said != told:
            screen.waiting(name, told := said)
    try:
        starting.result()
    except KillreportError:
        supervisor.watch.drain(name)
        screen.last_words(name)
        raise
    screen.up(name, monotonic() - began, remark)


async def open_database_told(
    stack: AsyncExitStack, settings: Settings, screen: FleetScreen, *, process: str
) -> Database:
    """Return the ready database, which is closed with the stack, and tell what takes the time until then."""
    began = monotonic()
    async with telling_wait("is being prepared", partial(screen.waiting, "database")):
        database = await stack.enter_async_context(open_ready_database(settings, process=process))
    which = "embedded" if settings.database_url is None else "configured"
    screen.up("database", monotonic() - began, f"PostgreSQL, {which}")
    return database


def tell_up(console: Console, settings: Settings, rows: Sequence[ProcessRow], up: Set[str], rest: str = "") -> None:
    """Tell how much of these rows is up, where, and what should be set. up: by name. rest: more to say of it."""
    jobs = sum(row.kind == "job" for row in rows)
    console.print(f"\n  {len(up)} of {len(rows) - jobs} processes up, {jobs} jobs on their schedule{rest}")
    console.print(f"  {addresses(settings, up)}\n")
    if (sentence := tell_contact(settings)) is not None:
        console.print(f"  [yellow]{sentence}[/]\n")


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


def _cause(status: int | None) -> str:
    if status is None:
        return "ended"
    return f"was killed by {signal.Signals(-status).name}" if status < 0 else f"ended with status {status}"
