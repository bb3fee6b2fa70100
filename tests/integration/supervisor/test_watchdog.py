"""A process whose loop is not heard of any more."""

from __future__ import annotations

import os
import signal
from pathlib import Path

from tests.integration.supervisor.conftest import MakeFleet, eventually, quiet, script

# Feeds the watchdog until the file is there.
HANGS = """
ready(); tell("STATUS=at work")
while not os.path.exists({path!r}):
    tell("WATCHDOG=1")
    time.sleep(0.05)
time.sleep(10_000)
"""


def test_a_process_that_stops_feeding_the_watchdog_is_replaced(make_fleet: MakeFleet, tmp_path: Path) -> None:
    stuck = tmp_path / "stuck"
    hangs = {"command": script(HANGS.format(path=str(stuck))), "watchdog": 1.0}
    fleet = make_fleet({"one": hangs, "other": {"command": quiet(), "watchdog": 1.0}})
    [other] = fleet.do("start", "other").states
    [before] = fleet.do("start", "one").states
    eventually(lambda: fleet.states()["one"].said == "at work" and fleet.states()["one"].silent_seconds is not None)
    stuck.touch()
    after = eventually(lambda: (now := fleet.states()["one"]).pid not in (None, before.pid) and now)
    assert (after.restarts, after.last_status) == (1, -signal.SIGABRT)
    # Who never fed it is left in peace.
    assert fleet.states()["other"].pid == other.pid
    assert "process_hangs" in (fleet.home / "supervisor.log").read_text()


def test_an_adopted_process_is_watched_too(make_fleet: MakeFleet, tmp_path: Path) -> None:
    stuck = tmp_path / "stuck"
    fleet = make_fleet({"one": {"command": script(HANGS.format(path=str(stuck))), "watchdog": 1.0}})
    [before] = fleet.do("start", "one").states
    eventually(lambda: fleet.states()["one"].silent_seconds is not None)
    fleet.kill_supervisor()
    stuck.touch()
    fleet.supervise()
    eventually(lambda: fleet.states()["one"].pid not in (None, before.pid))
    assert before.pid not in fleet.holders("one")


def test_a_process_that_was_stopped_by_a_signal_is_replaced(make_fleet: MakeFleet, tmp_path: Path) -> None:
    fleet = make_fleet({"one": {"command": script(HANGS.format(path=str(tmp_path / "never"))), "watchdog": 1.0}})
    [before] = fleet.do("start", "one").states
    assert before.pid is not None
    eventually(lambda: fleet.states()["one"].silent_seconds is not None)
    os.kill(before.pid, signal.SIGSTOP)
    after = eventually(lambda: (now := fleet.states()["one"]).pid not in (None, before.pid) and now)
    assert after.last_status in (-signal.SIGABRT, -signal.SIGKILL)
