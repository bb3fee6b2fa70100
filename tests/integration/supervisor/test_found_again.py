"""A home written another way, and files that somebody deletes: the fleet is one, and stays within reach."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

import pytest

from killreport.cli.fleet.ending import end_fleet
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.leftovers import lock_holders, slot_holders
from killreport.supervisor.process.slot import ProcessSlot
from tests.integration.supervisor.conftest import Fleet, MakeFleet, eventually, quiet, script

PROGRAMS: dict[str, dict[str, Any]] = {"one": {"command": quiet()}, "two": {"command": quiet(), "is_single": True}}


def started(fleet: Fleet) -> dict[str, int | None]:
    for name in fleet.names:
        fleet.do("start", name)
    return {name: state.pid for name, state in fleet.states().items()}


@pytest.mark.chaos
def test_a_home_through_a_symlink_or_dots_is_the_same_home(make_fleet: MakeFleet, tmp_path: Path) -> None:
    fleet = make_fleet(PROGRAMS)
    before, straight = started(fleet), fleet.home
    link = tmp_path / "link"
    link.symlink_to(straight, target_is_directory=True)
    for home in (link, straight / "fleet" / "..", link / "fleet" / ".." / ".." / "link", straight):
        fleet.kill_supervisor()
        fleet.home = home
        fleet.supervise()
        assert FleetFolder.at(home).path == fleet.folder.path
        eventually(lambda: all(state.status == "running" for state in fleet.states().values()))
        assert {name: state.pid for name, state in fleet.states().items()} == before
    assert {name: fleet.holders(name) for name in fleet.names} == {name: [pid] for name, pid in before.items()}
    fleet.do("kill")
    assert slot_holders(fleet.folder) == {}


def test_a_slot_is_its_file_however_the_way_there_is_written(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    direct, linked = ProcessSlot(tmp_path / "real" / "x.0.a"), ProcessSlot(tmp_path / "link" / "x.0.a")
    lock = linked.try_lock()
    assert lock is not None
    with subprocess.Popen(["sleep", "1000"], pass_fds=[lock]) as holder:
        try:
            assert direct.holders() == linked.holders() == [holder.pid]
            # A new file at the same place is another slot.
            direct.path.unlink()
            direct.path.touch()
            assert direct.holders() == []
        finally:
            holder.kill()
            os.close(lock)


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["control.sock", "notify.sock", "supervisor.lock", "wanted.json"])
def test_what_a_fleet_is_found_by_is_put_back(make_fleet: MakeFleet, name: str) -> None:
    fleet = make_fleet(PROGRAMS)
    before, path = started(fleet), fleet.folder.path / name
    path.unlink()
    eventually(path.exists)
    eventually(fleet.answers)
    # A process that is started now is heard of, and so is everything by the next supervisor, which is the only one.
    after = fleet.do("restart", "one").states[0]
    assert after.status == "running"
    assert len(lock_holders(fleet.folder)) == 1
    fleet.kill_supervisor()
    fleet.supervise()
    eventually(lambda: all(state.status == "running" for state in fleet.states().values()))
    assert {name: state.pid for name, state in fleet.states().items()} == before | {"one": after.pid}


@pytest.mark.chaos
def test_a_home_that_is_deleted_is_made_again_and_what_nobody_would_find_is_replaced(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(PROGRAMS)
    before = started(fleet)
    described = (fleet.home / "programs.json").read_text()
    shutil.rmtree(fleet.home)
    eventually(lambda: fleet.folder.control.exists() and fleet.answers())
    (fleet.home / "programs.json").write_text(described)

    def is_replaced() -> bool:
        now = fleet.states()
        return all(now[name].pid not in (None, before[name]) and now[name].status == "running" for name in before)

    eventually(is_replaced)
    after = {name: state.pid for name, state in fleet.states().items()}
    eventually(lambda: not any(Path(f"/proc/{pid}").exists() for pid in before.values()))
    assert {name: fleet.holders(name) for name in fleet.names} == {name: [pid] for name, pid in after.items()}
    fleet.kill_supervisor()
    fleet.supervise()
    assert {name: state.pid for name, state in fleet.states().items()} == after


def test_a_fleet_without_a_supervisor_can_be_ended(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(PROGRAMS)
    started(fleet)
    fleet.kill_supervisor()
    shutil.rmtree(fleet.folder.slots)  # not even the slots are there
    ending = end_fleet(fleet.folder)
    assert ending.sentence == "No supervisor was running; one, two ran without one, and ended."
    assert slot_holders(fleet.folder) == {}
    assert end_fleet(fleet.folder).sentence == "No supervisor was running, and nothing of the fleet."


def test_a_supervisor_that_takes_no_commands_is_ended_with_its_fleet(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(PROGRAMS)
    started(fleet)
    [supervisor] = lock_holders(fleet.folder)
    # One of an earlier release does not put its socket back.
    os.kill(supervisor, signal.SIGSTOP)
    fleet.folder.control.unlink()
    now = iter(range(1_000_000))

    def go_on(_seconds: float) -> None:
        if next(now) == 40:
            os.kill(supervisor, signal.SIGCONT)
        fleet.folder.control.unlink(missing_ok=True)

    ending = end_fleet(fleet.folder, sleep=go_on)
    assert ending.is_killed
    assert slot_holders(fleet.folder) == {}


def test_a_supervisor_that_stands_still_is_ended_with_its_fleet(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(PROGRAMS)
    started(fleet)
    [supervisor] = lock_holders(fleet.folder)
    os.kill(supervisor, signal.SIGSTOP)
    ending = end_fleet(fleet.folder, answer_seconds=0.2, kill_seconds=1.0)
    assert ending.sentence == "The supervisor did not answer, and was ended; one, two ran without one, and ended."
    assert (lock_holders(fleet.folder), slot_holders(fleet.folder)) == ([], {})


def test_a_fleet_that_takes_longer_to_end_than_an_answer_may_is_waited_for(make_fleet: MakeFleet) -> None:
    text = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nready()\ntime.sleep(10_000)"
    fleet = make_fleet({"slow": {"command": script(text), "kill_timeout": 2}})
    fleet.do("start", "slow")
    assert end_fleet(fleet.folder, answer_seconds=0.5).sentence == "Everything has ended."
    assert slot_holders(fleet.folder) == {}
