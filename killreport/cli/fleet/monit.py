"""`killreport monit`: the fleet on one live screen, with the log of the selected process and keys to act."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import tty
from collections import defaultdict, deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from heapq import merge

from rich.console import Console, Group
from rich.layout import Layout
from rich.live import Live
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from killreport.cli.context import fleet_folder
from killreport.cli.fleet.listing import CPU, MEMORY, NAME, RESTARTS, STATUS, UP
from killreport.cli.fleet.logs import LogLine, LogTail, last_lines
from killreport.cli.output.columns import TableColumn, fitted
from killreport.errors import KillreportError, Refused
from killreport.supervisor.client import ANSWER_SECONDS, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import ControlReply, Request, Verb
from killreport.supervisor.state import ProcessState
from killreport.terminal import printable

TICK_SECONDS = 0.5
_BARS = " ▁▂▃▄▅▆▇█"
_SAMPLES = 16
_KEPT_LINES = 200
_HELP = "↑↓ select   r restart   l reload   s stop or start   t trigger   q quit"
_KEYS = {b"\x1b[A": "up", b"k": "up", b"\x1b[B": "down", b"j": "down", b"q": "quit", b"\x03": "quit", b"\x1b": "quit"}
_VERBS: dict[bytes, Verb] = {b"r": "restart", b"l": "reload", b"t": "trigger"}


def sparkline(values: deque[float], most: float) -> str:
    """Return the values as bars; `most` is a full one, more is no more than that."""
    if most <= 0:
        return ""
    return "".join(_BARS[min(len(_BARS) - 1, max(0, round(value / most * (len(_BARS) - 1))))] for value in values)


def _key(state: ProcessState) -> str:
    return f"{state.name} {state.number}"


class MonitScreen:
    """What is shown: the states, their history, which one is selected, and what came of the last key."""

    def __init__(self, folder: FleetFolder) -> None:
        self._folder = folder
        self._selected = 0
        self._states: list[ProcessState] = []
        self._cpu: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_SAMPLES))
        self._memory: dict[str, deque[float]] = defaultdict(lambda: deque(maxlen=_SAMPLES))
        self._lines: deque[LogLine] = deque(maxlen=_KEPT_LINES)
        self._tails: list[LogTail] = []
        self._tailed = ""
        self._message = ""
        self._threads = ThreadPoolExecutor(max_workers=4)

    def look(self) -> None:
        """Ask the supervisor how things are, and read on in the log."""
        try:
            self._states = ask(self._folder, Request(verb="list"), ANSWER_SECONDS).states
        except KillreportError as error:
            self._message = printable(str(error))
            return
        for state in self._states:
            self._cpu[_key(state)].append(state.cpu_percent)
            self._memory[_key(state)].append(state.memory_bytes)
        self._selected = min(self._selected, max(0, len(self._states) - 1))
        self._read_log()

    def press(self, key: bytes) -> bool:
        """Do what the key says; returns whether the screen stays."""
        action = _KEYS.get(key)
        if action in ("up", "down") and self._states:
            self._selected = (self._selected + (1 if action == "down" else -1)) % len(self._states)
            self._read_log()
        elif self._states and (key in _VERBS or key == b"s"):
            state = self._states[self._selected]
            verb = _VERBS.get(key) or ("start" if state.status == "stopped" else "stop")
            self._message = f"{verb} {state.name} …"
            asked = self._threads.submit(ask, self._folder, Request(verb=verb, name=state.name))
            asked.add_done_callback(lambda done: self._tell(verb, state.name, done))
        return action != "quit"

    def render(self, width: int, height: int) -> Layout:
        """Return the screen."""
        layout = Layout()
        layout.split_column(
            Layout(self._table(width), size=min(len(self._states) + 2, max(4, height - 10))),
            Layout(Panel(self._log(height), title=self._tailed or "no process", border_style="dim")),
            Layout(Group(Text(self._message, "yellow"), Text(_HELP, "dim")), size=2),
        )
        return layout

    def close(self) -> None:
        """Wait for nothing that was asked; it goes on without us."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _table(self, width: int) -> Table:
        chosen = self._states[self._selected] if self._states else None

        def bars(history: dict[str, deque[float]], state: ProcessState, most: float, colour: str) -> Text:
            return Text(sparkline(history[_key(state)], most), colour)

        columns = (
            TableColumn[ProcessState]("", lambda state: "▸" if state is chosen else " "),
            replace(NAME, cell=lambda state: Text(NAME.of(state).plain, "bold" if state is chosen else "")),
            STATUS,
            replace(CPU, leave_out=2),
            TableColumn[ProcessState]("", lambda state: bars(self._cpu, state, 100.0, "cyan"), 7),
            replace(MEMORY, leave_out=1),
            TableColumn[ProcessState](
                "", lambda state: bars(self._memory, state, state.memory_limit_bytes, "magenta"), 6
            ),
            replace(RESTARTS, leave_out=5),
            UP,
        )
        return fitted(columns, self._states, width)[0]

    def _log(self, height: int) -> Text:
        shown = list(self._lines)[-max(3, height) :]
        return Text("\n".join(f"{line.at[11:19]} {printable(line.text)}" for line in shown), no_wrap=True, end="")

    def _read_log(self) -> None:
        name = self._states[self._selected].name if self._states else ""
        if name != self._tailed:
            self._tailed = name
            for tail in self._tails:
                tail.close()
            self._tails = [LogTail(self._folder, name, stream) for stream in ("out", "error")] if name else []
            self._lines = deque(last_lines(self._tails, _KEPT_LINES), maxlen=_KEPT_LINES)
        self._lines.extend(merge(*(tail.new_lines() for tail in self._tails)))

    def _tell(self, verb: str, name: str, done: Future[ControlReply]) -> None:
        error = done.exception()
        self._message = f"{verb} {name}: {printable(str(error or 'done'))}"


def monit() -> None:
    """Watch the fleet on one screen: CPU, memory and the log of the selected process.

    Keys restart, reload, stop, start and trigger it.

    Example: killreport monit
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise Refused("monit needs a terminal; killreport list --json is for scripts.")
    console = Console()
    screen = MonitScreen(fleet_folder())
    screen.look()
    try:
        with _keys() as descriptor, Live(console=console, screen=True, auto_refresh=False) as live:
            stays = True
            while stays:
                live.update(screen.render(console.width, console.height), refresh=True)
                if select.select([descriptor], [], [], TICK_SECONDS)[0]:
                    stays = screen.press(os.read(descriptor, 16))
                else:
                    screen.look()
    finally:
        screen.close()


@contextmanager
def _keys() -> Iterator[int]:
    """Have keys arrive one by one and unseen while the block runs."""
    descriptor = sys.stdin.fileno()
    before = termios.tcgetattr(descriptor)
    try:
        tty.setcbreak(descriptor)
        yield descriptor
    finally:
        with contextlib.suppress(termios.error):
            termios.tcsetattr(descriptor, termios.TCSADRAIN, before)
