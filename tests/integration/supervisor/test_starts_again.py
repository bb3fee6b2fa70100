"""What the machine does not let start is tried again until it does, and what runs is not ended for it."""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from killreport.errors import Unavailable
from tests.integration.supervisor.conftest import MakeFleet, eventually, quiet, script
from tests.ports import free_port

# A service that accepts at the socket it was passed.
SERVICE = script("ready()\nlistener = socket.socket(fileno=3)\nwhile True: listener.accept()[0].close()")


@pytest.mark.chaos
def test_a_service_whose_port_is_taken_at_boot_starts_when_it_is_free(make_fleet: MakeFleet) -> None:
    port = free_port()
    fleet = make_fleet({"web": {"command": SERVICE, "kind": "service", "port": port}, "other": {"command": quiet()}})
    fleet.do("start", "web")
    fleet.do("start", "other")
    # The machine goes down, and at the next boot somebody else is quicker.
    pids = [pid for name in fleet.names for pid in fleet.holders(name)]
    fleet.kill_supervisor()
    for pid in pids:
        os.kill(pid, signal.SIGKILL)
    eventually(lambda: not any(fleet.holders(name) for name in fleet.names))
    with socket.create_server(("127.0.0.1", port), reuse_port=True):
        fleet.supervise()
        eventually(lambda: fleet.states()["other"].status == "running")
        waiting = eventually(lambda: (now := fleet.states()["web"]).status == "waiting" and now)
        assert waiting.said == f"web cannot listen on 127.0.0.1 port {port}: Address already in use."
        with pytest.raises(Unavailable, match=f"web cannot listen on 127.0.0.1 port {port}: Address already in use."):
            fleet.do("start", "web")
    eventually(lambda: fleet.states()["web"].status == "running")
    assert len(fleet.holders("web")) == 1


def test_a_restart_leaves_the_old_one_where_the_new_one_cannot_start(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}})
    [before] = fleet.do("start", "one").states
    fleet.describe({"one": {"command": ["/nowhere/python", "-c", "pass"]}})
    fleet.do("apply")
    with pytest.raises(Unavailable, match="one cannot start: No such file or directory: /nowhere/python"):
        fleet.do("restart", "one")
    assert fleet.states()["one"].pid == before.pid
    assert fleet.states()["one"].status == "running"
    fleet.describe({"one": {"command": quiet()}})
    fleet.do("apply")
    assert fleet.do("restart", "one").states[0].pid not in (None, before.pid)
    assert len(fleet.holders("one")) == 1


def test_a_program_that_is_away_is_started_when_it_is_back(make_fleet: MakeFleet, tmp_path: Path) -> None:
    program = tmp_path / "python"
    fleet = make_fleet({"one": {"command": [str(program), *quiet()[1:]]}})
    with pytest.raises(Unavailable, match="one cannot start: No such file or directory"):
        fleet.do("start", "one")
    program.symlink_to(sys.executable)
    assert eventually(lambda: (now := fleet.states()["one"]).status == "running" and now).pid is not None


def test_a_crash_without_a_free_descriptor_is_made_good_when_there_is_one(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}})
    [before] = fleet.do("start", "one").states
    about = fleet.do("ping").about
    assert about is not None
    assert before.pid is not None
    _soft, hard = resource.prlimit(about.pid, resource.RLIMIT_NOFILE)
    # One is left, which the question how it is needs.
    taken = {int(path.name) for path in Path(f"/proc/{about.pid}/fd").iterdir()}
    free = next(number for number in range(len(taken) + 1) if number not in taken)
    resource.prlimit(about.pid, resource.RLIMIT_NOFILE, (free + 1, hard))
    os.kill(before.pid, signal.SIGKILL)
    log = fleet.home / "supervisor.log"
    eventually(lambda: "process_cannot_start" in log.read_text() and "Too many open files" in log.read_text())
    resource.prlimit(about.pid, resource.RLIMIT_NOFILE, (hard, hard))
    after = eventually(lambda: (now := fleet.states()["one"]).status == "running" and now)
    assert after.pid != before.pid


def test_several_who_want_a_start_at_once_get_one_process(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}})
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _number: fleet.do("start", "one"), range(8)))
    pids = {state.pid for answer in answers for state in answer.states}
    assert fleet.holders("one") == list(pids)
    assert fleet.states()["one"].restarts == 0


def test_a_stop_while_it_is_tried_again_stops_the_trying(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": ["/nowhere/python"]}})
    with pytest.raises(Unavailable, match="one cannot start: No such file or directory"):
        fleet.do("start", "one")
    fleet.do("stop", "one")
    tries = (fleet.home / "supervisor.log").read_text().count("process_cannot_start")
    assert (fleet.states()["one"].status, fleet.states()["one"].said) == ("stopped", "")
    fleet.describe({"one": {"command": quiet()}})
    fleet.do("apply")
    assert fleet.do("start", "one").states[0].status == "running"
    assert (fleet.home / "supervisor.log").read_text().count("process_cannot_start") == tries
