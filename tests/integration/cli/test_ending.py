"""`killreport supervise` as systemd runs it: what `kill` ended stays ended, what crashed or was stopped does not."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from killreport.errors import KillreportError
from killreport.fleet.systemd import KILLED_STATUS
from killreport.supervisor.client import ask
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import Request
from tests.integration.supervisor.conftest import eventually

Supervise = Callable[..., subprocess.Popen[bytes]]


@pytest.fixture
def supervise(tmp_path: Path) -> Iterator[Supervise]:
    """Return what starts a supervisor of nothing, with more in its environment, and returns when it answers."""
    running: list[subprocess.Popen[bytes]] = []

    def start(**environment: str) -> subprocess.Popen[bytes]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("KILLREPORT_", "INVOCATION"))}
        kept |= {"KILLREPORT_HOME": str(tmp_path), "KILLREPORT_WARM_START": "false", **environment}
        running.append(subprocess.Popen([sys.executable, "-m", "killreport", "supervise"], env=kept))
        eventually(lambda: answers(FleetFolder.at(tmp_path)))
        return running[-1]

    yield start
    for process in running:
        process.kill()
        process.wait()


def answers(folder: FleetFolder) -> bool:
    try:
        return ask(folder, Request(verb="ping"), 10.0).about is not None
    except KillreportError:
        return False


@pytest.mark.parametrize(("environment", "status"), [({"INVOCATION_ID": "1"}, KILLED_STATUS), ({}, 0)])
def test_a_killed_fleet_is_not_started_again_by_systemd(
    supervise: Supervise, tmp_path: Path, environment: dict[str, str], status: int
) -> None:
    process = supervise(**environment)
    ask(FleetFolder.at(tmp_path), Request(verb="kill"))
    assert process.wait(30) == status


def test_a_supervisor_that_was_only_stopped_is(supervise: Supervise) -> None:
    process = supervise(INVOCATION_ID="1")
    process.send_signal(signal.SIGTERM)
    assert process.wait(30) == 0
