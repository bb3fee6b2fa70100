"""Overrides that change while their supervisor runs."""

from __future__ import annotations

import pytest

from killreport.errors import Refused
from tests.integration.supervisor.conftest import MakeFleet, eventually, quiet, script


def test_a_disabled_process_ends_and_is_listed_and_refused_until_it_is_enabled(make_fleet: MakeFleet) -> None:
    one, two = {"command": quiet()}, {"command": quiet()}
    fleet = make_fleet({"one": one, "two": two})
    [kept] = fleet.do("start", "one").states
    fleet.do("start", "two")

    fleet.describe({"one": one, "two": two | {"is_enabled": False}})
    assert fleet.do("apply").names == ["two"]
    states = fleet.states()
    assert (states["two"].status, states["two"].pid, fleet.holders("two")) == ("disabled", None, [])
    assert states["one"].pid == kept.pid
    for verb in ("start", "restart", "reload"):
        with pytest.raises(Refused, match=r"two is disabled in fleet\.toml"):
            fleet.do(verb, "two")

    fleet.describe({"one": one, "two": two})
    assert fleet.do("apply").names == ["two"]
    eventually(lambda: fleet.states()["two"].status == "running")
    assert fleet.do("apply").names == []


def test_an_environment_is_there_at_the_next_start_and_a_limit_at_once(make_fleet: MakeFleet) -> None:
    one = {"command": script("print(os.environ.get('COLOUR'), flush=True)\nready()\ntime.sleep(10_000)")}
    fleet = make_fleet({"one": one})
    [before] = fleet.do("start", "one").states
    fleet.describe({"one": one | {"environment": {"COLOUR": "red"}, "memory_limit_mb": 700}})
    fleet.do("apply")
    [state] = fleet.do("list").states
    assert (state.pid, state.memory_limit_bytes) == (before.pid, 700 << 20)
    fleet.do("reload", "one")
    eventually(lambda: fleet.log("one") == ["None", "red"])


def test_copies_become_as_many_as_the_row_says_and_what_was_scaled_holds_until_it_says_otherwise(
    make_fleet: MakeFleet,
) -> None:
    one = {"command": quiet()}
    fleet = make_fleet({"one": one})
    fleet.do("start", "one")

    def copies() -> int:
        states = [state for state in fleet.do("list").states if state.name == "one"]
        return len([state for state in states if state.status == "running"])

    fleet.describe({"one": one | {"instances": 3}})
    fleet.do("apply")
    eventually(lambda: copies() == 3)
    fleet.do("scale", "one", count=2)
    assert copies() == 2
    fleet.describe({"one": one | {"instances": 3, "memory_limit_mb": 400}})
    fleet.do("apply")
    assert copies() == 2
    fleet.describe({"one": one})
    fleet.do("apply")
    eventually(lambda: copies() == 1)
    assert len(fleet.holders("one")) == 1


def test_a_job_has_its_new_schedule_and_no_run_that_only_that_would_have_had(make_fleet: MakeFleet) -> None:
    job = {"kind": "job", "command": script("print('done')"), "schedule": "0 0 1 1 *", "time_limit": 60}
    fleet = make_fleet({"job": job})
    fleet.do("start", "job")
    fleet.do("trigger", "job", waits=True)
    fleet.describe({"job": job | {"schedule": "0 0 2 1 *"}})
    fleet.do("apply")
    [state] = fleet.do("list").states
    assert state.next_run_at is not None
    assert (state.status, state.next_run_at.month, state.next_run_at.day) == ("scheduled", 1, 2)
    assert len(fleet.do("runs", "job").records) == 1


def test_a_process_that_a_new_release_has_no_longer_ends(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}, "gone": {"command": quiet()}})
    [one] = fleet.do("start", "one").states
    fleet.do("start", "gone")
    fleet.kill_supervisor()
    fleet.describe({"one": {"command": quiet()}})
    fleet.supervise()
    eventually(lambda: fleet.holders("gone") == [])
    assert fleet.states()["one"].pid == one.pid
