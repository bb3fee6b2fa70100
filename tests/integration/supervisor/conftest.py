"""A fleet of small programs under a supervisor that tests may kill."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import pytest

from killreport.errors import KillreportError
from killreport.supervisor.client import NoSupervisor, ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.slot import ProcessSlot
from killreport.supervisor.protocol import ControlReply, Request, Verb
from killreport.supervisor.state import ProcessState

PATIENCE_SECONDS = 30.0
# Says READY as systemd's children do.
READY = """
import os, signal, socket, sys, time
def ready():
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
def tell(words):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
        out.sendto(words.encode(), os.environ["NOTIFY_SOCKET"])
"""


def script(text: str) -> list[str]:
    """Return the command of a Python program; `ready()` is there for it."""
    return [sys.executable, "-S", "-E", "-c", READY + text]


def quiet() -> list[str]:
    """Return the command of a program that does nothing for ever."""
    return script("ready()\ntime.sleep(10_000)")


def eventually(what: Callable[[], Any]) -> Any:
    """Return the first true answer. Raises AssertionError when there was none in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (answer := what()):
        assert time.monotonic() < deadline, "it did not happen in time"
        time.sleep(0.02)
    return answer


class Fleet:
    """Programs, their folder, and the supervisor that runs them now."""

    def __init__(self, home: Path, programs: dict[str, dict[str, Any]]) -> None:
        home.mkdir(mode=0o700)
        (home / "programs.json").write_text(json.dumps(programs))
        self.home = home
        self.names = list(programs)
        self.folder = FleetFolder.make(home)
        self._process: subprocess.Popen[bytes] | None = None

    def supervise(self, **environment: str) -> None:
        """Start a supervisor with these variables too, and return when it answers."""
        command = [sys.executable, "-m", "tests.integration.supervisor.host", str(self.home)]
        with (self.home / "supervisor.log").open("ab") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log, env=os.environ | environment)
        eventually(self.answers)

    def describe(self, programs: dict[str, dict[str, Any]]) -> None:
        """Change the programs, from the next `apply` on, or the next supervisor."""
        (self.home / "programs.json").write_text(json.dumps(programs))

    def kill_supervisor(self) -> None:
        """End it as a crash would."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()

    def wait(self) -> None:
        """Return when the supervisor has ended by itself."""
        assert self._process is not None
        self._process.wait(PATIENCE_SECONDS)

    def do(self, verb: Verb, name: str = "", **fields: Any) -> ControlReply:
        """Have the supervisor do something."""
        return ask(self.folder, Request(verb=verb, name=name, **fields), PATIENCE_SECONDS)

    def states(self) -> dict[str, ProcessState]:
        """Return the state of every process by name."""
        return {state.name: state for state in self.do("list").states}

    def holders(self, name: str) -> list[int]:
        """Return every process that lives in a slot of this name."""
        return [pid for path in self.folder.slots.glob(f"{name}.*") for pid in ProcessSlot(path).holders()]

    def log(self, name: str, stream: str = "out") -> list[str]:
        """Return the lines of all files of a log, the oldest first, without their times."""
        path = self.folder.log(name, stream)
        files = [*sorted(path.parent.glob(f"{path.name}.*"), key=lambda file: -int(file.suffix[1:])), path]
        return [line.partition(" ")[2] for file in files for line in file.read_text().splitlines()]

    def end(self) -> None:
        """End everything."""
        with contextlib.suppress(KillreportError):
            self.do("kill")
        if self._process is not None:
            self._process.terminate()
            self._process.wait()
        for name in self.names:
            for pid in self.holders(name):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)

    def answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, (self.home / "supervisor.log").read_text()
        try:
            self.do("ping")
        except NoSupervisor:
            return False
        return True


class MakeFleet(Protocol):
    """Makes a fleet, supervised, in a folder of its own or in this one."""

    def __call__(self, programs: dict[str, dict[str, Any]], home: Path | None = None) -> Fleet:
        """Return it; nothing of it is left behind."""


@pytest.fixture
def make_fleet(tmp_path: Path) -> Iterator[MakeFleet]:
    """Return what makes a fleet, supervised; nothing of it is left behind."""
    fleets: list[Fleet] = []

    def make(programs: dict[str, dict[str, Any]], home: Path | None = None) -> Fleet:
        fleets.append(Fleet(home or tmp_path / f"fleet{len(fleets)}", programs))
        fleets[-1].supervise()
        return fleets[-1]

    yield make
    for fleet in fleets:
        fleet.end()
