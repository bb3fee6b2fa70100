"""The supervisor killed at any moment: no orphan, no double, nobody missing, no request failed, no line lost.

KILLREPORT_TEST_CHAOS_ROUNDS sets how many kills (default 4; by hand 25); KILLREPORT_TEST_CHAOS_LINES how many lines are
written meanwhile (default 30000; by hand 600000).
"""

from __future__ import annotations

import os
import random
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.integration.supervisor.conftest import Fleet, MakeFleet, eventually, quiet, script
from tests.ports import free_port

ROUNDS = int(os.environ.get("KILLREPORT_TEST_CHAOS_ROUNDS", "4"))
LINES = int(os.environ.get("KILLREPORT_TEST_CHAOS_LINES", "30000"))

# Answers one request a connection; on SIGTERM it finishes what it has begun and leaves the rest to its successor.
WEB = script("""
listener, going = socket.socket(fileno=3), True
def leave(*_):
    global going
    going = False
signal.signal(signal.SIGTERM, leave)
listener.settimeout(0.05)
ready()
while going:
    try:
        connection, _ = listener.accept()
    except TimeoutError:
        continue
    connection.settimeout(5)
    connection.recv(100)
    connection.sendall(b"%d" % os.getpid())
    connection.close()
""")


@contextmanager
def requests(port: int) -> Iterator[list[str]]:
    """Ask the service again and again while the block runs; yields what failed."""
    failed: list[str] = []
    count = 0
    stop = threading.Event()

    def ask() -> None:
        nonlocal count
        while not stop.is_set():
            try:
                with socket.create_connection(("127.0.0.1", port), 10) as connection:
                    connection.sendall(b"?")
                    assert connection.recv(100).isdigit()
            except (OSError, AssertionError) as error:
                failed.append(repr(error))
            count += 1
            time.sleep(0.002)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        yield failed
    finally:
        stop.set()
        thread.join()
    assert count > 20


def pids(fleet: Fleet) -> dict[str, int | None]:
    return {name: state.pid for name, state in fleet.states().items()}


@pytest.mark.chaos
def test_killed_supervisors_leave_everything_as_it_was(make_fleet: MakeFleet) -> None:
    port = free_port()
    workers = {f"worker{number}": {"command": quiet()} for number in range(4)}
    fleet = make_fleet({**workers, "web": {"command": WEB, "kind": "service", "port": port}})
    for name in fleet.names:
        fleet.do("start", name)
    before = pids(fleet)
    chance = random.Random(1)
    with requests(port) as failed:
        for _ in range(ROUNDS):
            time.sleep(chance.uniform(0, 0.3))
            fleet.kill_supervisor()
            fleet.supervise()
        eventually(lambda: all(state.status == "running" for state in fleet.states().values()))
    assert pids(fleet) == before, (fleet.home / "supervisor.log").read_text()[-3000:]
    assert {name: fleet.holders(name) for name in fleet.names} == {name: [pid] for name, pid in before.items()}
    assert failed == []


@pytest.mark.chaos
def test_a_supervisor_killed_in_a_reload_leaves_one(make_fleet: MakeFleet) -> None:
    port = free_port()
    fleet = make_fleet({"web": {"command": WEB, "kind": "service", "port": port}})
    fleet.do("start", "web")
    chance = random.Random(2)
    with requests(port) as failed:
        for _ in range(ROUNDS):
            asking = threading.Thread(target=lambda: _try_to_reload(fleet))
            asking.start()
            time.sleep(chance.uniform(0, 0.2))
            fleet.kill_supervisor()
            asking.join()
            fleet.supervise()
            eventually(lambda: fleet.states()["web"].status == "running" and len(fleet.holders("web")) == 1)
    assert failed == []


def _try_to_reload(fleet: Fleet) -> None:
    try:
        fleet.do("reload", "web")
    except Exception:
        return


@pytest.mark.chaos
def test_reloads_drop_no_request(make_fleet: MakeFleet) -> None:
    port = free_port()
    fleet = make_fleet({"web": {"command": WEB, "kind": "service", "port": port}})
    fleet.do("start", "web")
    seen = set()
    with requests(port) as failed:
        for _ in range(max(3, ROUNDS)):
            seen.add(fleet.do("reload", "web").states[0].pid)
    assert failed == []
    assert len(seen) == max(3, ROUNDS)


@pytest.mark.chaos
def test_every_line_is_logged_once_and_whole(make_fleet: MakeFleet) -> None:
    text = f"ready()\nfor number in range({LINES}):\n    print('line', number, '.' * (number % 97), flush=True)\n"
    fleet = make_fleet({"one": {"command": script(text + "time.sleep(10_000)")}})
    fleet.do("start", "one")
    chance = random.Random(3)
    for _ in range(ROUNDS):
        time.sleep(chance.uniform(0, 0.05))
        fleet.kill_supervisor()
        fleet.supervise()
    eventually(lambda: fleet.log("one")[-1:] and fleet.log("one")[-1].startswith(f"line {LINES - 1} "))
    assert [line.rstrip() for line in fleet.log("one")] == [
        f"line {number} {'.' * (number % 97)}".rstrip() for number in range(LINES)
    ]
