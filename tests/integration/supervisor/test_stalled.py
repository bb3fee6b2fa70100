"""The supervisor stands still: nobody who runs under it does, nothing is lost, and nobody is ended for it afterwards.

KILLREPORT_TEST_CHAOS_STALL_SECONDS sets for how long (default 3; by hand 60).
"""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from tests.integration.supervisor.conftest import Fleet, MakeFleet, eventually, quiet, script
from tests.integration.supervisor.test_survives import WEB, requests
from tests.ports import free_port

STALL_SECONDS = float(os.environ.get("KILLREPORT_TEST_CHAOS_STALL_SECONDS", "3"))
# Says that it lives far more often than a manager's queue holds, in the product's own words, and counts in its log.
CHATTY = script(f"""
import asyncio
sys.path.insert(0, {str(Path(__file__).parents[3])!r})
from killreport.fleet import notify
async def main():
    notify.notify_ready()
    async with notify.feeding_watchdog():
        for number in range(1_000_000):
            notify.notify_status(f"at {{number}}")
            print(number, flush=True)
            await asyncio.sleep(0.01)
asyncio.run(main())
""")


def chatty(seconds: float) -> dict[str, object]:
    command = [CHATTY[0], *[word for word in CHATTY[1:] if word not in ("-S", "-E")]]
    return {"command": command, "watchdog": seconds}


@pytest.mark.chaos
def test_a_supervisor_that_stands_still_stops_nobody(make_fleet: MakeFleet) -> None:
    port = free_port()
    fleet = make_fleet(
        {
            "web": {"command": WEB, "kind": "service", "port": port},
            # Silent for longer than it may be, as a clock would count.
            **{f"chatty{number}": chatty(max(1.0, STALL_SECONDS / 3)) for number in range(4)},
            "other": {"command": quiet()},
        }
    )
    for name in fleet.names:
        fleet.do("start", name)
    before = pids(fleet)
    about = fleet.do("ping").about
    assert about is not None
    count = len(fleet.log("chatty0"))
    with requests(port) as failed:
        os.kill(about.pid, signal.SIGSTOP)
        time.sleep(STALL_SECONDS)
        os.kill(about.pid, signal.SIGCONT)
        # What they wrote meanwhile is in the log, which says that they went on.
        eventually(lambda: len(fleet.log("chatty0")) >= count + STALL_SECONDS * 20)
        written = len(fleet.log("chatty0"))
        eventually(lambda: len(fleet.log("chatty0")) >= written + 200)
    assert failed == []
    assert pids(fleet) == before
    assert all(state.restarts == 0 for state in fleet.states().values())
    lines = fleet.log("chatty0")
    assert lines == [str(number) for number in range(len(lines))]
    # What one said last is known again.
    eventually(lambda: int(fleet.states()["chatty0"].said.removeprefix("at ")) >= written)


@pytest.mark.chaos
def test_who_gets_ready_while_the_supervisor_stands_still_is_ready(make_fleet: MakeFleet, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    text = f"while not os.path.exists({str(gate)!r}): time.sleep(0.01)\nready()\ntime.sleep(10_000)"
    fleet = make_fleet({"one": {"command": script(text), "ready_timeout": 1.0}, "two": {"command": quiet()}})
    about = fleet.do("ping").about
    assert about is not None
    asking = os.fork()
    if asking == 0:
        try:
            fleet.do("start", "one")
            os._exit(0)
        finally:
            os._exit(1)
    pid = eventually(lambda: fleet.states().get("one") and fleet.states()["one"].pid)
    os.kill(about.pid, signal.SIGSTOP)
    gate.touch()
    time.sleep(1.5)  # longer than it may take by the clock
    os.kill(about.pid, signal.SIGCONT)
    assert os.waitpid(asking, 0)[1] == 0
    assert fleet.states()["one"].pid == pid


def pids(fleet: Fleet) -> dict[str, int | None]:
    return {name: state.pid for name, state in fleet.states().items()}
