"""What the verbs do: to processes that behave, that crash, that hang, that eat memory."""

from __future__ import annotations

import contextlib
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from killreport.errors import KillreportError, NotFound, Refused, Unavailable
from tests.integration.supervisor.conftest import MakeFleet, eventually, quiet, script


def test_started_processes_are_ready_and_stopped_ones_gone(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}, "two": {"command": quiet()}})
    assert fleet.states() == {}
    for name in ("one", "two", "one"):
        fleet.do("start", name)
    states = fleet.states()
    assert {name: state.status for name, state in states.items()} == {"one": "running", "two": "running"}
    assert fleet.holders("one") == [states["one"].pid]

    fleet.do("stop", "one")
    assert fleet.states()["one"].status == "stopped"
    assert fleet.holders("one") == []
    fleet.do("delete", "one")
    assert list(fleet.states()) == ["two"]


def test_a_killed_process_comes_back(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}})
    [state] = fleet.do("start", "one").states
    assert state.pid is not None
    os.kill(state.pid, signal.SIGKILL)
    after = eventually(lambda: (now := fleet.states()["one"]).status == "running" and now.pid != state.pid and now)
    assert (after.restarts, after.last_status) == (1, -signal.SIGKILL)


def test_restart_ends_the_old_one_first_and_reload_last(make_fleet: MakeFleet, tmp_path: Path) -> None:
    notes = tmp_path / "notes"
    tell = f"tell = lambda word: print(word, os.getpid(), file=open({str(notes)!r}, 'a'))\n"
    leave = "signal.signal(signal.SIGTERM, lambda *_: (tell('end'), sys.exit()))\n"
    fleet = make_fleet({"one": {"command": script(f"{tell}{leave}tell('begin')\nready()\ntime.sleep(10_000)")}})
    fleet.do("start", "one")
    fleet.do("restart", "one")
    fleet.do("reload", "one")
    words = [line.split()[0] for line in notes.read_text().splitlines()]
    assert words == ["begin", "end", "begin", "begin", "end"]
    assert len(fleet.holders("one")) == 1


def test_a_reload_that_does_not_get_ready_leaves_the_old_one(make_fleet: MakeFleet, tmp_path: Path) -> None:
    broken = tmp_path / "broken"
    text = f"if os.path.exists({str(broken)!r}): sys.exit(3)\nready()\ntime.sleep(10_000)"
    fleet = make_fleet({"one": {"command": script(text)}})
    [before] = fleet.do("start", "one").states
    broken.touch()
    with pytest.raises(Unavailable, match=r"ended with status 3 before it was ready; its log: .*one-error\.log"):
        fleet.do("reload", "one")
    after = fleet.states()["one"]
    assert (after.pid, after.status) == (before.pid, "running")


def test_who_ignores_sigterm_is_killed_with_all_it_forked(make_fleet: MakeFleet) -> None:
    text = "signal.signal(signal.SIGTERM, signal.SIG_IGN)\nos.fork()\nready()\ntime.sleep(10_000)"
    fleet = make_fleet({"one": {"command": script(text), "kill_timeout": 0.2}})
    fleet.do("start", "one")
    assert len(eventually(lambda: len(pids := fleet.holders("one")) == 2 and pids)) == 2
    fleet.do("stop", "one")
    assert fleet.holders("one") == []


def test_a_crash_loop_is_errored_and_a_start_forgives(make_fleet: MakeFleet, tmp_path: Path) -> None:
    fixed = tmp_path / "fixed"
    text = f"if not os.path.exists({str(fixed)!r}): sys.exit('no')\nready()\ntime.sleep(10_000)"
    fleet = make_fleet({"one": {"command": script(text)}})
    with pytest.raises(Unavailable, match="ended with status 1"):
        fleet.do("start", "one")
    eventually(lambda: fleet.states()["one"].status == "errored")
    assert fleet.log("one", "error") == ["no"] * 8
    fixed.touch()
    [state] = fleet.do("start", "one").states
    assert state.status == "running"


def test_who_is_never_ready_is_replaced_and_said_so(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": script("time.sleep(10_000)"), "ready_timeout": 0.3}})
    with pytest.raises(Unavailable, match=r"took longer than 0\.3 s to be ready"):
        fleet.do("start", "one")


def test_memory_over_the_limit_is_replaced_also_behind_a_wrapper(make_fleet: MakeFleet, tmp_path: Path) -> None:
    grown = tmp_path / "grown"
    eater = script(
        f"ready()\ntime.sleep(1)\nif not os.path.exists({str(grown)!r}):\n"
        f"    open({str(grown)!r}, 'w')\n    eaten = b'x' * 200_000_000\ntime.sleep(10_000)"
    )
    command = ["/bin/sh", "-c", '"$@"; true', "sh", *eater]
    fleet = make_fleet({"one": {"command": command, "memory_limit_mb": 100}})
    [before] = fleet.do("start", "one").states
    after = eventually(lambda: (now := fleet.states()["one"]).restarts == 1 and now.status == "running" and now)
    assert after.pid != before.pid
    eventually(lambda: len(fleet.holders("one")) == 2)  # the shell and what it runs


def test_copies_come_and_go(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}, "alone": {"command": quiet(), "is_single": True}})
    assert len(fleet.do("scale", "one", count=3).states) == 3
    assert len(fleet.holders("one")) == 3
    assert len(fleet.do("scale", "one", count=1).states) == 1
    assert len(fleet.holders("one")) == 1
    with pytest.raises(Refused, match="There can be only one alone"):
        fleet.do("scale", "alone", count=2)
    with pytest.raises(NotFound, match="no process called none"):
        fleet.do("start", "none")


def test_two_who_delete_at_once_both_succeed(make_fleet: MakeFleet, tmp_path: Path) -> None:
    told = tmp_path / "told"
    text = f"signal.signal(signal.SIGTERM, lambda *_: open({str(told)!r}, 'w').close())\nready()\n"
    fleet = make_fleet({"one": {"command": script(f"{text}while True: time.sleep(10_000)"), "kill_timeout": 1}})
    fleet.do("start", "one")
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(fleet.do, "delete", "one")
        eventually(told.exists)  # the first one waits for its end
        second = pool.submit(fleet.do, "delete", "one")
        assert (first.result().error, second.result().error) == (None, None)
    assert fleet.states() == {}


def test_a_verb_that_fails_unexpectedly_is_answered_and_nothing_ends(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}})
    fleet.do("start", "one")
    (fleet.home / "programs.json").write_text("no JSON")  # which `apply` of this host does not expect
    with pytest.raises(Unavailable, match="An error nobody expected: JSONDecodeError"):
        fleet.do("apply")
    assert fleet.states()["one"].status == "running"


def test_a_kill_ends_the_copies_too_that_are_being_taken_away(make_fleet: MakeFleet, tmp_path: Path) -> None:
    first, told = tmp_path / "first", tmp_path / "told"
    leave = f"os.path.exists({str(first)!r}) and signal.signal(signal.SIGTERM, lambda *_: open({str(told)!r}, 'w'))\n"
    text = f"{leave}open({str(first)!r}, 'w').close()\nready()\nwhile True: time.sleep(10_000)"
    fleet = make_fleet({"one": {"command": script(text), "kill_timeout": 2}})
    fleet.do("start", "one")  # ends at once, and the second one not
    fleet.do("scale", "one", count=2)
    with ThreadPoolExecutor(1) as pool:
        scaling = pool.submit(fleet.do, "scale", "one", count=1)
        eventually(told.exists)
        fleet.do("kill")
        fleet.wait()
        with contextlib.suppress(KillreportError):
            scaling.result()
    assert fleet.holders("one") == []


def test_what_was_saved_comes_back(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({"one": {"command": quiet()}, "two": {"command": quiet()}})
    with pytest.raises(NotFound, match="Nothing was saved"):
        fleet.do("resurrect")
    fleet.do("start", "one")
    assert fleet.do("save").count == 1
    fleet.do("delete", "one")
    fleet.do("start", "two")
    fleet.do("resurrect")
    assert {name: state.status for name, state in fleet.states().items()} == {"one": "running", "two": "running"}


def test_what_runs_beyond_what_was_saved_goes_on_under_the_next_supervisor_too(make_fleet: MakeFleet) -> None:
    fleet = make_fleet({name: {"command": quiet()} for name in ("stopped", "fewer", "more")})
    fleet.do("start", "stopped")
    fleet.do("stop", "stopped")
    fleet.do("start", "fewer")
    fleet.do("scale", "more", count=2)
    fleet.do("save")
    fleet.do("start", "stopped")
    fleet.do("scale", "fewer", count=2)
    fleet.do("scale", "more", count=1)
    fleet.do("resurrect")
    counts = {name: len(fleet.holders(name)) for name in fleet.names}
    assert counts == {"stopped": 1, "fewer": 2, "more": 2}
    fleet.kill_supervisor()
    fleet.supervise()
    eventually(lambda: all(state.status == "running" for state in fleet.states().values()))
    assert {name: len(fleet.holders(name)) for name in fleet.names} == counts


def test_a_slow_stop_of_one_holds_up_nobody_else(make_fleet: MakeFleet) -> None:
    slow = script("signal.signal(signal.SIGTERM, signal.SIG_IGN)\nready()\ntime.sleep(10_000)")
    fleet = make_fleet({"slow": {"command": slow, "kill_timeout": 60}, "one": {"command": quiet()}})
    fleet.do("start", "slow")
    fleet.do("start", "one")
    pid = os.fork()
    if pid == 0:  # asks, and is not waited for
        try:
            fleet.do("stop", "slow")
        finally:
            os._exit(0)
    eventually(lambda: fleet.states()["slow"].status == "stopping")
    assert fleet.do("restart", "one").states[0].status == "running"
    assert fleet.states()["slow"].status == "stopping"
    for holder in fleet.holders("slow"):
        os.kill(holder, signal.SIGKILL)
    os.waitpid(pid, 0)
