"""Jobs: never beside themselves, on time, caught up once, ended when they take too long, remembered."""

from __future__ import annotations

import json
import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from killreport.clock import utc_now
from killreport.errors import Conflict, Refused
from killreport.fleet.schedule import AWAY_STATUS, BROKEN_OFF_STATUS
from killreport.supervisor.process.backoff import MAX_QUICK_ENDS
from killreport.supervisor.runs import JobHistory, JobRecord
from tests.integration.supervisor.conftest import READY, Fleet, MakeFleet, eventually, quiet, script

YEARLY = "0 0 1 1 *"


def history_of(fleet: Fleet) -> list[JobRecord]:
    return fleet.do("runs", "job").records


def test_a_run_is_remembered_with_its_last_line(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"job": {"command": script("print('3 done.')"), "kind": "job", "schedule": YEARLY}})
    [record] = fleet.do("trigger", "job", waits=True).records
    assert (record.status, record.cause, record.last_line) == (0, "trigger", "3 done.")
    assert history_of(fleet) == [record]


def test_a_job_does_not_run_beside_itself(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(
        {
            "job": {"command": quiet(), "kind": "job", "schedule": YEARLY, "kill_timeout": 5},
            "worker": {"command": quiet()},
        }
    )
    fleet.do("trigger", "job")
    with pytest.raises(Conflict, match="job is running already"):
        fleet.do("trigger", "job")
    with pytest.raises(Refused, match="worker is not a job"):
        fleet.do("trigger", "worker")
    assert len(fleet.holders("job")) == 1
    fleet.do("start", "job")
    fleet.do("stop", "job")
    assert [record.status for record in history_of(fleet)] == [-signal.SIGTERM]


def test_what_takes_too_long_is_ended(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"job": {"command": quiet(), "kind": "job", "schedule": YEARLY, "time_limit": 0.3}})
    [record] = fleet.do("trigger", "job", waits=True).records
    assert record.status == -signal.SIGTERM


def test_a_run_outlives_the_supervisor_and_is_not_begun_again(make_fleet: MakeFleet, tmp_path: Path) -> None:
    go = tmp_path / "go"
    text = f"while not os.path.exists({str(go)!r}): time.sleep(0.01)\nprint('went')"
    fleet = make_fleet({"job": {"command": script(text), "kind": "job", "schedule": YEARLY}})
    fleet.do("trigger", "job")
    fleet.kill_supervisor()
    fleet.supervise()
    with pytest.raises(Conflict):
        fleet.do("trigger", "job")
    go.touch()
    record = eventually(lambda: (found := history_of(fleet)[-1]).ended_at and found)
    assert (len(history_of(fleet)), record.cause, fleet.log("job")) == (1, "trigger", ["went"])


def test_an_instant_missed_is_caught_up_once(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"job": {"command": script("print('hello')"), "kind": "job", "schedule": YEARLY}})
    long_ago = utc_now() - timedelta(days=1000)
    JobHistory(fleet.folder.runs / "job.jsonl").write(
        JobRecord(started_at=long_ago, ended_at=long_ago, status=0, cause="schedule", last_line="")
    )
    fleet.do("start", "job")
    eventually(lambda: len(found := history_of(fleet)) == 2 and found[-1].ended_at)
    assert [record.cause for record in history_of(fleet)] == ["schedule", "catch-up"]
    fleet.do("stop", "job")
    fleet.do("start", "job")
    state = fleet.states()["job"]
    assert state.status == "scheduled"
    assert state.next_run_at is not None
    assert state.next_run_at > utc_now()
    assert len(history_of(fleet)) == 2


# Ends in order when it is told to, as the product's jobs do; says `whole` when nobody told it.
STOPPABLE = script("""
signal.signal(signal.SIGTERM, lambda *_: (print('stopped', flush=True), os._exit(STATUS)))
print('begun', flush=True)
while not os.path.exists('GO'):
    time.sleep(0.01)
print('whole')
""")


def stoppable(go: Path, status: int = 0) -> dict[str, object]:
    command = [part.replace("GO", str(go)).replace("STATUS", str(status)) for part in STOPPABLE]
    return {"command": command, "kind": "job", "schedule": YEARLY, "kill_timeout": 5}


def begin(fleet: Fleet) -> None:
    """Have the job on its schedule, and a run of it going on."""
    fleet.do("start", "job")
    fleet.do("trigger", "job")
    eventually(lambda: fleet.log("job") == ["begun"])


def test_a_run_broken_off_by_a_restart_is_made_good_at_once(make_fleet: MakeFleet, tmp_path: Path) -> None:
    fleet = make_fleet({"job": stoppable(tmp_path / "go")})
    begin(fleet)
    fleet.do("restart", "job")
    (tmp_path / "go").touch()
    eventually(lambda: len(found := history_of(fleet)) == 2 and found[-1].ended_at)
    assert fleet.log("job")[-1] == "whole"
    assert [record.is_broken_off for record in history_of(fleet)][1] is False


@pytest.mark.parametrize("how", ["kill", "power"])
def test_a_run_broken_off_by_the_end_of_everything_is_made_good_at_the_next_start(
    make_fleet: MakeFleet, tmp_path: Path, how: str
) -> None:
    fleet = make_fleet({"job": stoppable(tmp_path / "go")})
    begin(fleet)
    if how == "kill":
        fleet.do("kill")
        fleet.wait()
    else:
        fleet.kill_supervisor()
        for pid in fleet.holders("job"):
            os.kill(pid, signal.SIGKILL)
        eventually(lambda: not fleet.holders("job"))
    (tmp_path / "go").touch()
    fleet.supervise()
    eventually(lambda: len(found := history_of(fleet)) == 2 and found[-1].ended_at)
    assert [record.cause for record in history_of(fleet)] == ["trigger", "catch-up"]
    assert fleet.log("job")[-1] == "whole"
    assert (fleet.states()["job"].next_run_at or utc_now()) > utc_now() + timedelta(hours=1)


@pytest.mark.parametrize(("number", "status"), [(signal.SIGKILL, 0), (signal.SIGTERM, BROKEN_OFF_STATUS)])
def test_a_run_that_crashed_or_was_told_to_stop_by_others_is_due_again(
    make_fleet: MakeFleet, tmp_path: Path, number: signal.Signals, status: int
) -> None:
    fleet = make_fleet({"job": stoppable(tmp_path / "go", status)})
    begin(fleet)
    [pid] = fleet.holders("job")
    os.kill(pid, number)
    (tmp_path / "go").touch()
    eventually(lambda: len(found := history_of(fleet)) == 2 and found[-1].ended_at)
    assert [record.is_broken_off for record in history_of(fleet)] == [True, False]


def test_a_job_that_crashes_every_time_is_begun_again_later_and_later(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"job": {"command": script("os.abort()"), "kind": "job", "schedule": YEARLY}})
    fleet.do("start", "job")
    fleet.do("trigger", "job")
    soon, late = utc_now() + timedelta(seconds=60), utc_now() + timedelta(hours=1)
    eventually(lambda: soon < (fleet.states()["job"].next_run_at or soon) < late)
    assert len(history_of(fleet)) == MAX_QUICK_ENDS


def test_a_run_that_failed_by_itself_or_took_too_long_is_over(make_fleet: MakeFleet) -> None:
    fleet = make_fleet(
        {
            "job": {"command": script("sys.exit(1)"), "kind": "job", "schedule": YEARLY},
            "slow": {"command": quiet(), "kind": "job", "schedule": YEARLY, "time_limit": 0.3},
        }
    )
    for name in ("job", "slow"):
        fleet.do("start", name)
        [record] = fleet.do("trigger", name, waits=True).records
        assert record.is_broken_off is False
        assert (fleet.states()[name].next_run_at or utc_now()) > utc_now() + timedelta(hours=1)


SIGNING = f"""
import sys
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from pathlib import Path
from killreport.supervisor.process.slot import sign_out
while not os.path.exists('GO'):
    time.sleep(0.01)
sign_out(Path('SLOTS'), 0)
open('GONE', 'w').close()
"""


@pytest.mark.parametrize("is_watched", [True, False])
def test_a_run_that_ended_whole_under_no_parent_of_its_own_is_not_begun_again(
    make_fleet: MakeFleet, tmp_path: Path, *, is_watched: bool
) -> None:
    go, gone = tmp_path / "go", tmp_path / "gone"
    slots = tmp_path / "fleet0" / "fleet" / "slots"
    text = SIGNING.replace("GONE", str(gone)).replace("GO", str(go)).replace("SLOTS", str(slots))
    command = [sys.executable, "-c", READY + text]
    fleet = make_fleet({"job": {"command": command, "kind": "job", "schedule": YEARLY}})
    fleet.do("start", "job")
    fleet.do("trigger", "job")
    fleet.kill_supervisor()
    if is_watched:
        fleet.supervise()
    go.touch()
    eventually(lambda: gone.exists() and not fleet.holders("job"))
    if not is_watched:
        fleet.supervise()
    [record] = eventually(lambda: (found := history_of(fleet))[-1].ended_at and found)
    assert (record.status, record.is_broken_off) == (0, False)
    assert (fleet.states()["job"].next_run_at or utc_now()) > utc_now() + timedelta(hours=1)


def test_a_reload_lets_a_run_end(make_fleet: MakeFleet, tmp_path: Path) -> None:
    fleet = make_fleet({"job": stoppable(tmp_path / "go")})
    begin(fleet)
    before = fleet.holders("job")
    fleet.do("reload", "job")
    assert fleet.holders("job") == before
    (tmp_path / "go").touch()
    eventually(lambda: history_of(fleet)[-1].ended_at)
    assert (len(history_of(fleet)), fleet.log("job")) == (1, ["begun", "whole"])


def test_a_job_that_cannot_be_started_at_its_instant_is_tried_again(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"job": {"command": script("print('hello')"), "kind": "job", "schedule": YEARLY}})
    long_ago = utc_now() - timedelta(days=1000)
    JobHistory(fleet.folder.runs / "job.jsonl").write(
        JobRecord(started_at=long_ago, ended_at=long_ago, status=0, cause="schedule", last_line="")
    )
    pipe = fleet.folder.pipes / "job.out"
    pipe.rename(pipe.with_suffix(".away"))
    fleet.do("start", "job")
    eventually(lambda: "job_cannot_start" in (fleet.home / "supervisor.log").read_text())
    pipe.with_suffix(".away").rename(pipe)
    eventually(lambda: history_of(fleet)[-1].last_line == "hello")


def test_a_scheduled_run_for_which_a_host_was_away_is_tried_again_soon_and_one_by_hand_is_not(
    make_fleet: MakeFleet,
) -> None:
    fleet = make_fleet({"job": {"command": script(f"sys.exit({AWAY_STATUS})"), "kind": "job", "schedule": YEARLY}})
    fleet.do("start", "job")
    [by_hand] = fleet.do("trigger", "job", waits=True).records
    assert (by_hand.status, by_hand.is_broken_off) == (AWAY_STATUS, False)
    assert (fleet.states()["job"].next_run_at or utc_now()) > utc_now() + timedelta(hours=1)
    fleet.do("stop", "job")

    long_ago = utc_now() - timedelta(days=1000)
    JobHistory(fleet.folder.runs / "job.jsonl").write(
        JobRecord(started_at=long_ago, ended_at=long_ago, status=0, cause="schedule", last_line="")
    )
    fleet.do("start", "job")
    eventually(lambda: (last := history_of(fleet)[-1]).cause == "catch-up" and last.ended_at)
    eventually(
        lambda: (
            utc_now() + timedelta(seconds=30)
            < (fleet.states()["job"].next_run_at or utc_now())
            < utc_now() + timedelta(seconds=90)
        )
    )
    assert [record.is_broken_off for record in history_of(fleet)] == [False, False, True]


def test_the_schedule_starts_it(make_fleet: MakeFleet) -> None:
    # Seconds are the sixth field of the library's expressions.
    fleet = make_fleet({"job": {"command": script("print('tick')"), "kind": "job", "schedule": "* * * * * *"}})
    fleet.do("start", "job")
    eventually(lambda: len(history_of(fleet)) >= 2)
    fleet.do("stop", "job")
    assert {record.cause for record in history_of(fleet)} == {"schedule"}


def test_a_job_is_asked_at_its_start_whether_it_is_urgent_and_then_follows_its_schedule(make_fleet: MakeFleet) -> None:
    row = {"kind": "job", "schedule": YEARLY, "is_checked_at_start": True}
    fleet = make_fleet({"job": {"command": script("print(sys.argv[1:])"), **row}})
    fleet.do("start", "job")
    eventually(lambda: history_of(fleet) and history_of(fleet)[-1].ended_at)
    fleet.do("trigger", "job", waits=True)
    assert [(record.cause, record.last_line) for record in history_of(fleet)] == [
        ("catch-up", "['--if-due']"),
        ("trigger", "[]"),
    ]
    assert (fleet.states()["job"].next_run_at or utc_now()) > utc_now() + timedelta(hours=1)


def test_a_history_that_was_cut_short_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    history = JobHistory(tmp_path / "job.jsonl")
    now = utc_now()
    history.write(JobRecord(started_at=now, ended_at=None, status=None, cause="trigger", last_line=""))
    with (tmp_path / "job.jsonl").open("a") as file:
        file.write(json.dumps({"started_at": 3}) + "\n{")
    history.write(JobRecord(started_at=now, ended_at=now, status=0, cause="trigger", last_line="x"))
    assert [record.status for record in history.read()] == [0]
    assert [path.name for path in tmp_path.iterdir()] == ["job.jsonl"]


def test_a_run_of_a_job_that_was_deleted_is_listed_while_it_goes_on(make_fleet: MakeFleet, tmp_path: Path) -> None:
    go = tmp_path / "go"
    text = f"while not os.path.exists({str(go)!r}): time.sleep(0.01)"
    fleet = make_fleet({"job": {"command": script(text), "kind": "job"}})
    fleet.do("trigger", "job")
    assert fleet.states()["job"].status == "running"
    go.touch()
    eventually(lambda: fleet.states() == {})


def test_a_run_that_said_nothing_is_not_given_the_words_of_the_one_before(
    make_fleet: MakeFleet, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    text = f"if os.path.exists({str(said)!r}): os._exit(3)\nopen({str(said)!r}, 'w').close()\nsys.exit('the first')"
    fleet = make_fleet({"job": {"command": script(text), "kind": "job"}})
    records = [fleet.do("trigger", "job", waits=True).records[0] for _ in range(2)]
    assert [(record.status, record.last_line) for record in records] == [(1, "the first"), (3, "")]
