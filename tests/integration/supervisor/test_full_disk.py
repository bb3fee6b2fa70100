"""The disk full and free again: everything goes on, can be stopped and started, and is as it was afterwards.

On a small file system of its own, which only root may mount.
"""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from killreport.fleet.disk import disk_warning
from killreport.supervisor.disk_watch import DiskWatch
from killreport.supervisor.wanted import read_wanted
from tests.integration.supervisor.conftest import Fleet, MakeFleet, eventually, quiet, script

# A line a millisecond: a second of them is more than what little room a file has left in its last page.
TALKER = script("""
ready()
number = 0
while True:
    print('line', number, '.' * 80, flush=True)
    number += 1
    time.sleep(0.001)
""")
PROGRAMS: dict[str, dict[str, Any]] = {
    "talker": {"command": TALKER},
    "quiet": {"command": quiet()},
    "other": {"command": quiet()},
    # Seconds are the sixth field of the library's expressions.
    "job": {"command": script("print('ran')"), "kind": "job", "schedule": "* * * * * *"},
}


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Return a folder on a file system of 6 MB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=6m", "none", str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        pytest.skip(f"only who may mount can have a small disk: {done.stderr.strip()}")
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.fixture
def fleet(small_disk: Path, make_fleet: MakeFleet) -> Iterator[Fleet]:
    fleet = make_fleet(PROGRAMS, small_disk / "home")
    for name in PROGRAMS:
        fleet.do("start", name)
    yield fleet
    (small_disk / "filler").unlink(missing_ok=True)
    fleet.end()  # before the disk goes


def fill(small_disk: Path) -> Path:
    filler = small_disk / "filler"
    with contextlib.suppress(OSError), filler.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(4096))
    with pytest.raises(OSError, match="No space left"), filler.open("ab", buffering=0) as file:
        file.write(bytes(4096))
    return filler


def crash(fleet: Fleet, name: str) -> None:
    """Kill a process and return when another one runs in its place."""
    [before] = fleet.holders(name)
    os.kill(before, signal.SIGKILL)
    eventually(lambda: (state := fleet.states()[name]).status == "running" and state.pid != before)


def runs(fleet: Fleet) -> int:
    return len([record for record in fleet.do("runs", "job").records if record.status == 0])


@pytest.mark.chaos
def test_a_full_disk_stops_nothing_and_everything_is_right_when_it_is_free(fleet: Fleet, small_disk: Path) -> None:
    filler = fill(small_disk)
    before = runs(fleet)
    crash(fleet, "quiet")
    fleet.do("stop", "other")
    assert not fleet.holders("other")
    fleet.do("start", "other")
    fleet.do("restart", "talker")
    eventually(lambda: runs(fleet) >= before + 2)
    fleet.do("stop", "other")
    filler.unlink()

    eventually(lambda: read_wanted(fleet.folder.wanted)["other"].is_started is False)
    count = runs(fleet)
    eventually(lambda: runs(fleet) >= count + 2)
    crash(fleet, "quiet")
    last = fleet.log("talker")[-1]
    eventually(lambda: fleet.log("talker")[-1] != last)
    statuses = {name: state.status for name, state in fleet.states().items()}
    assert statuses.pop("job") in {"scheduled", "running"}  # every second, so it may be at it just now
    assert statuses == {"talker": "running", "quiet": "running", "other": "stopped"}
    assert list(fleet.folder.path.rglob("*.new")) == []


async def test_a_disk_that_fills_up_is_told_of_once_and_again_when_it_has_room(small_disk: Path) -> None:
    watch = DiskWatch(small_disk, 4)
    with capture_logs() as logs:
        watch.look()
        filler = fill(small_disk)
        watch.look()
        watch.look()
        filler.unlink()
        watch.look()
    assert [line["event"] for line in logs] == ["disk_nearly_full", "disk_has_room"]
    filler = fill(small_disk)
    sentence = f"The disk of {small_disk} is nearly full: 0 MB are free, less than the 4 MB that should be."
    assert disk_warning(small_disk, 4) == sentence
    assert disk_warning(small_disk, 0) is None


@pytest.mark.chaos
def test_everything_is_ended_and_taken_over_on_a_full_disk(fleet: Fleet, small_disk: Path) -> None:
    filler = fill(small_disk)
    pids = {name: state.pid for name, state in fleet.states().items() if state.kind != "job"}
    fleet.kill_supervisor()
    fleet.supervise()
    eventually(lambda: all(state.status in ("running", "scheduled") for state in fleet.states().values()))
    assert {name: state.pid for name, state in fleet.states().items() if state.kind != "job"} == pids
    fleet.do("kill")
    fleet.wait()
    assert {name: fleet.holders(name) for name in PROGRAMS} == {name: [] for name in PROGRAMS}
    filler.unlink()
    fleet.supervise()
    eventually(lambda: all(state.status in ("running", "scheduled") for state in fleet.states().values()))
