"""Child processes of one command: started, watched for READY, restarted when they die, stopped in reverse order.

A child talks to us as to systemd: it sends READY to the socket NOTIFY_SOCKET names. It runs in a session of its own,
so a terminal's Ctrl-C reaches this process alone; and the kernel kills it when this process dies, however that happens.
"""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from killreport.cli.logfile import LogFile
from killreport.clock import monotonic
from killreport.errors import KillreportError

STOP_SECONDS = 10.0
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
# A child that lived for this long starts again with the first pause.
STEADY_SECONDS = 60.0
# After the exit of a child, how long its output may still be held open by a process it left behind.
_LAST_OUTPUT_SECONDS = 1.0
_PR_SET_PDEATHSIG = 1


class DiedAtStart(KillreportError):
    """A child ended before it was ready for the first time; starting it again would end the same way."""


@dataclass(frozen=True)
class Part:
    """What to run: `python -m killreport` with these arguments, under this name."""

    name: str
    arguments: tuple[str, ...]


@dataclass(frozen=True)
class Death:
    """A child that ended without being told to.

    status: negative for a signal, as in subprocess. pause_seconds: until it is started again; None: it is not.
    """

    part: Part
    status: int
    last_lines: list[str]
    pause_seconds: float | None

    @property
    def cause(self) -> str:
        """Return how it ended, as a phrase."""
        if self.status < 0:
            return f"was killed by {signal.Signals(-self.status).name}"
        return f"ended with status {self.status}"


class Child:
    """One part and, while it runs, its process."""

    def __init__(self, part: Part, environment: Mapping[str, str], log: LogFile) -> None:
        self.part = part
        self._environment = environment
        self._log = log
        self._is_ready = asyncio.Event()
        self._is_stopping = asyncio.Event()
        self._process: asyncio.subprocess.Process | None = None

    async def keep_running(self, on_death: Callable[[Death], None]) -> None:
        """Run the part until `stop`, again and again with growing pauses. Raises DiedAtStart before the first READY."""
        pause = FIRST_PAUSE_SECONDS
        while not self._is_stopping.is_set():
            began = monotonic()
            status = await self._run_once()
            if self._is_stopping.is_set():
                return
            if monotonic() - began > STEADY_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            had_been_ready = self._is_ready.is_set()
            death = Death(self.part, status, self._log.last_lines(), pause if had_been_ready else None)
            on_death(death)
            if not had_been_ready:
                raise DiedAtStart(f"{self.part.name} {death.cause} before it was ready; its log is {self._log.path}.")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._is_stopping.wait(), pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    @property
    def pid(self) -> int | None:
        """Return the id of its process, None while there is none."""
        return None if self._process is None or self._process.returncode is not None else self._process.pid

    async def wait_ready(self) -> None:
        """Return when the part has been ready once."""
        await self._is_ready.wait()

    def ask_to_stop(self) -> None:
        """Send SIGTERM, and do not start the part again."""
        self._is_stopping.set()
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process and everything in its session's group at once."""
        self._is_stopping.set()
        self._signal(signal.SIGKILL)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)

    async def _run_once(self) -> int:
        """Run the process to its end and return its status; all it wrote is in the log by then."""
        self._log.begin()
        with _ready_socket(self._is_ready) as address:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "killreport", *self.part.arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.STDOUT,
                env={**self._environment, "NOTIFY_SOCKET": address},
                start_new_session=True,
                preexec_fn=_die_with_parent(),
            )
            self._process = process
            if self._is_stopping.is_set():  # told while it was being started
                self._signal(signal.SIGTERM)
            copying = asyncio.create_task(self._copy_output(process))
            try:
                status = await process.wait()
                await asyncio.wait({copying}, timeout=_LAST_OUTPUT_SECONDS)
            finally:
                self._signal(signal.SIGKILL)
                copying.cancel()
            return status

    async def _copy_output(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while chunk := await process.stdout.read(65_536):
            # Where the log cannot be written, as on a full disk, the child must not come to a halt on a full pipe.
            with contextlib.suppress(OSError):
                self._log.write(chunk)


@contextlib.contextmanager
def _ready_socket(is_ready: asyncio.Event) -> Iterator[str]:
    """Lend the address of a socket; READY sent there sets the event."""
    # An abstract name leaves no file behind, whatever happens to this process.
    name = f"killreport-{os.getpid()}-{secrets.token_hex(8)}"
    loop = asyncio.get_running_loop()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as inbox:
        inbox.bind(b"\0" + name.encode())

        def receive() -> None:
            with contextlib.suppress(BlockingIOError):
                if b"READY=1" in inbox.recv(4096).split(b"\n"):
                    is_ready.set()

        loop.add_reader(inbox, receive)
        try:
            yield f"@{name}"
        finally:
            loop.remove_reader(inbox)


def _die_with_parent() -> Callable[[], None]:
    """Return what the child runs before its program: the kernel is to kill it when this process ends."""
    libc = ctypes.CDLL(None)
    parent = os.getpid()

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:  # it ended before the kernel knew
            os._exit(1)

    return arrange


class Family:
    """All children of one command."""

    def __init__(self, environment: Mapping[str, str], logs: Path, on_death: Callable[[Death], None]) -> None:
        self._environment = environment
        self._logs = logs
        self._on_death = on_death
        self._children: list[tuple[Child, asyncio.Task[None]]] = []

    @property
    def pids(self) -> list[int]:
        """Return the ids of the processes that run now."""
        return [pid for child, _running in self._children if (pid := child.pid) is not None]

    async def start(self, part: Part) -> float:
        """Start a part and return, when it is ready, the seconds that took. Raises DiedAtStart."""
        began = monotonic()
        child = Child(part, self._environment, LogFile(self._logs / f"{part.name}.log"))
        running = asyncio.create_task(child.keep_running(self._on_death), name=part.name)
        self._children.append((child, running))
        ready = asyncio.create_task(child.wait_ready())
        try:
            await asyncio.wait({running, ready}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            ready.cancel()
        if running.done() and not running.cancelled() and (error := running.exception()) is not None:
            raise error
        return monotonic() - began

    async def stop(self) -> None:
        """Stop the parts, the last started first, each with time to finish what it has in hand; cancelled: kill all.

        Doing it twice is right: what is stopped stays so.
        """
        try:
            while self._children:
                child, running = self._children[-1]
                child.ask_to_stop()
                await asyncio.wait({running}, timeout=STOP_SECONDS)
                child.kill()
                await asyncio.wait({running})
                self._children.pop()
        finally:
            for child, _running in self._children:
                child.kill()
