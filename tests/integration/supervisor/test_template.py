"""Processes forked from one warm process: like programs of their own, and never of outdated code."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.integration.supervisor.conftest import Fleet, eventually, script

# A template whose `killreport` is this: it says where it is, and goes on for ever.
PROGRAM = """
import os, signal, socket, sys, time
sys.path.insert(0, {home!r})
import shown
from killreport.supervisor.process.forking import wait_for_fork

arguments = wait_for_fork(socket.socket(fileno=int(sys.argv[1])))
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as out:
    out.sendto(b"READY=1", os.environ["NOTIFY_SOCKET"])
print(arguments, shown.WORD, os.getsid(0) == os.getpid(), sorted(os.environ), os.getppid(), flush=True)
if arguments == ["fail"]:
    sys.exit(7)
signal.pause()
"""


@pytest.fixture
def warm_fleet(tmp_path: Path) -> Fleet:
    """Return a fleet, not yet supervised, of a process `one` and a job `failing` that are forked."""
    home = tmp_path / "home"
    programs: dict[str, dict[str, Any]] = {
        "one": {
            "command": script("ready(); print('by itself', flush=True); signal.pause()"),
            "arguments": ["serve", "one"],
        },
        "failing": {
            "command": [sys.executable, "-c", "raise SystemExit(3)"],
            "arguments": ["fail"],
            "kind": "job",
            "restarts": False,
            "schedule": "0 0 1 1 *",
        },
    }
    fleet = Fleet(home, programs)
    (home / "shown.py").write_text("WORD = 'first'\n")
    (home / "template.py").write_text(PROGRAM.format(home=str(home)))
    return fleet


def said(fleet: Fleet, name: str) -> str:
    return str(eventually(lambda: fleet.log(name))[-1])


def test_a_forked_process_is_as_one_of_its_own(warm_fleet: Fleet) -> None:
    warm_fleet.supervise()
    try:
        state = warm_fleet.do("start", "one").states[0]
        supervisor = warm_fleet.do("ping").about
        assert supervisor is not None
        assert state.status == "running"
        assert said(warm_fleet, "one").startswith(
            "['serve', 'one'] first True ['LC_CTYPE', 'NOTIFY_SOCKET', 'PATH', 'WATCHDOG_USEC']"
        ) or (
            said(warm_fleet, "one").startswith("['serve', 'one'] first True ['NOTIFY_SOCKET', 'PATH', 'WATCHDOG_USEC']")
        )
        assert said(warm_fleet, "one").endswith(f" {supervisor.pid}")
        title = Path(f"/proc/{state.pid}/cmdline").read_bytes().rstrip(b"\0").decode()
        assert title.endswith("-m killreport serve one")
        assert state.pid is not None
        os.kill(state.pid, signal.SIGKILL)
        again = eventually(lambda: (now := warm_fleet.states()["one"]).pid not in (None, state.pid) and now)
        assert again.last_status == -signal.SIGKILL
    finally:
        warm_fleet.end()


def test_the_status_of_a_forked_job_is_known(warm_fleet: Fleet) -> None:
    warm_fleet.supervise()
    try:
        assert warm_fleet.do("trigger", "failing", waits=True).records[0].status == 7
    finally:
        warm_fleet.end()


def test_other_code_on_the_disk_is_what_the_next_process_runs(warm_fleet: Fleet) -> None:
    warm_fleet.supervise()
    try:
        warm_fleet.do("start", "one")
        (warm_fleet.home / "shown.py").write_text("WORD = 'second'\n")
        warm_fleet.do("reload", "one")
        assert eventually(lambda: "second" in said(warm_fleet, "one"))
    finally:
        warm_fleet.end()


def test_without_a_template_a_process_is_started_by_itself(warm_fleet: Fleet) -> None:
    (warm_fleet.home / "template.py").write_text("raise SystemExit('broken')\n")
    warm_fleet.supervise()
    try:
        assert warm_fleet.do("trigger", "failing", waits=True).records[0].status == 3
        assert "no_template" in (warm_fleet.home / "supervisor.log").read_text()
    finally:
        warm_fleet.end()


def test_forked_processes_outlive_the_supervisor_and_are_taken_over(warm_fleet: Fleet) -> None:
    warm_fleet.supervise()
    try:
        pid = warm_fleet.do("start", "one").states[0].pid
        warm_fleet.kill_supervisor()
        warm_fleet.supervise()
        assert warm_fleet.states()["one"].pid == pid
        assert warm_fleet.do("restart", "one").states[0].pid != pid
        assert warm_fleet.holders("one") == [warm_fleet.states()["one"].pid]
    finally:
        warm_fleet.end()


def template_of(fleet: Fleet) -> int:
    """Return the warm process."""
    program = str(fleet.home / "template.py").encode()
    about = fleet.do("ping").about
    assert about is not None
    children = Path(f"/proc/{about.pid}/task/{about.pid}/children").read_text().split()
    [pid] = [int(pid) for pid in children if program in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return pid


def test_a_template_that_stands_still_is_ended_and_what_is_wanted_started_by_itself(warm_fleet: Fleet) -> None:
    warm_fleet.supervise()
    try:
        warm_fleet.do("start", "one")
        assert said(warm_fleet, "one").startswith("['serve', 'one']")
        stopped = template_of(warm_fleet)
        os.kill(stopped, signal.SIGSTOP)
        restarted = warm_fleet.do("restart", "one").states[0]
        assert restarted.status == "running"
        eventually(lambda: said(warm_fleet, "one") == "by itself")
        assert warm_fleet.holders("one") == [restarted.pid]
        assert not Path(f"/proc/{stopped}").exists()
        # The next one is forked again, from a new template, and gets its own answer.
        again = warm_fleet.do("restart", "one").states[0]
        eventually(lambda: said(warm_fleet, "one").startswith("['serve', 'one']"))
        assert template_of(warm_fleet) != stopped
        assert warm_fleet.holders("one") == [again.pid]
        assert warm_fleet.do("trigger", "failing", waits=True).records[0].status == 7
    finally:
        warm_fleet.end()


def test_an_answer_that_is_nobodys_is_not_the_next_requests(warm_fleet: Fleet) -> None:
    text = (warm_fleet.home / "template.py").read_text()
    late = "connection = socket.socket(fileno=int(sys.argv[1]))\n"
    late += 'connection.send(b\'{"number": 99, "pid": 1}\')\narguments = wait_for_fork(connection)\n'
    call = "arguments = wait_for_fork(socket.socket(fileno=int(sys.argv[1])))\n"
    assert call in text
    (warm_fleet.home / "template.py").write_text(text.replace(call, late))
    warm_fleet.supervise()
    try:
        pid = warm_fleet.do("start", "one").states[0].pid
        assert warm_fleet.holders("one") == [pid]
    finally:
        warm_fleet.end()
