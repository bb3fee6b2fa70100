"""`killreport demo`, from the command to the page and back."""

from __future__ import annotations

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from killreport.cli.processes.first_jobs import FIRST_JOBS
from tests.acceptance.demos import processes_of, start_demo, wait_until_gone
from tests.ports import free_ports

pytestmark = pytest.mark.fleet


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Yield a demo's home; whatever is left running in it afterwards is ended."""
    yield tmp_path / "demo"
    for pid in (left := processes_of(tmp_path / "demo")):
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(left)


async def test_a_demo_shows_kills_as_they_happen_and_their_names_stops_whole_and_goes_on_where_it_was(
    home: Path,
) -> None:
    ports = free_ports(3)

    async with start_demo(home, ports) as demo:
        assert demo.said[-1].startswith(f"  Open {demo.web}  (up in ")
        parts = [line.split()[0] for line in demo.said if re.search(r" up +\d+\.\d s ", line)]
        first_kill = await demo.publish_and_watch()
        assert f"/kill/{first_kill}" in await demo.page()
        await demo.read_until("queue-characters ")
        jobs = [line.split()[0] for line in demo.said if " succeeded " in line]
        names = await demo.victim_names()
        before = await demo.stored_ids()
        running = processes_of(home)
        assert await demo.press_ctrl_c() == 0
    assert sorted(parts) == ["database", "killreport-backend", "killreport-frontend", "simulator", "worker-redisq"]
    assert len(running) >= len(parts)
    assert processes_of(home) == {}
    assert jobs == list(FIRST_JOBS)
    assert None not in names
    assert len(names) >= 240

    async with start_demo(home, ports) as demo:
        second_kill = await demo.publish_and_watch()
        await demo.read_until("more workers ")
        after = await demo.stored_ids()
        assert await demo.press_ctrl_c() == 0
    assert len(after) == len(set(after))
    assert set(before) <= set(after)
    assert (first_kill in after, second_kill in after, second_kill in before) == (True, True, False)
    # What is done once is not done again.
    assert not any(" succeeded " in line for line in demo.said)
    assert processes_of(home) == {}


async def test_a_part_that_dies_is_started_again_and_a_killed_demo_leaves_nothing_behind(home: Path) -> None:
    async with start_demo(home, free_ports(3)) as demo:
        worker = next(pid for pid, command in processes_of(home).items() if "run worker-redisq" in command)
        os.kill(worker, signal.SIGKILL)
        await demo.read_until("was killed by SIGKILL; starting it again")
        killmail_id = await demo.publish_and_watch()

        running = processes_of(home)
        demo.process.kill()
        wait_until_gone(running)

    assert killmail_id > 0
    assert worker not in running
    assert processes_of(home) == {}


def test_ctrl_c_while_everything_is_starting_stops_what_was_started(home: Path) -> None:
    web, api, sim = free_ports(3)
    with subprocess.Popen(
        [
            *(sys.executable, "-m", "killreport", "demo", f"--home={home}"),
            *(f"--web-port={web}", f"--api-port={api}", f"--sim-port={sim}"),
        ],
        stdout=subprocess.PIPE,
        text=True,
    ) as demo:
        assert demo.stdout is not None
        said = demo.stdout.readline()
        demo.send_signal(signal.SIGINT)
        rest = demo.stdout.read()

    assert said == f"KillReport's demo, in {home}\n"
    assert (demo.returncode, rest.splitlines()[-1]) == (0, "All stopped; the next `killreport demo` goes on from here.")
    assert processes_of(home) == {}


@pytest.mark.parametrize("is_under_make", [False, True])
@pytest.mark.parametrize("places", [(0,), (2,), (0, 1, 2)])
def test_all_ports_in_use_are_told_at_once_with_a_command_that_works_as_typed(
    home: Path, places: tuple[int, ...], is_under_make: bool
) -> None:
    options = ("--web-port", "--api-port", "--sim-port")
    with ExitStack() as stack:
        taken = [stack.enter_context(socket.create_server(("127.0.0.1", 0))).getsockname()[1] for _ in places]
        ports = free_ports(3)
        for place, port in zip(places, taken, strict=True):
            ports[place] = port
        environment = {name: value for name, value in os.environ.items() if name != "MAKELEVEL"}
        result = subprocess.run(
            [
                *(sys.executable, "-m", "killreport", "demo", f"--home={home}"),
                *(f"{option}={port}" for option, port in zip(options, ports, strict=True)),
            ],
            capture_output=True,
            text=True,
            check=False,
            env=environment | ({"MAKELEVEL": "1"} if is_under_make else {}),
        )

    assert (result.returncode, result.stdout) == (1, "")
    told, _, command = result.stderr.strip().partition(" This takes others: ")
    assert [str(port) in told for port in taken] == [True] * len(taken)
    words = shlex.split(command)
    typed = shlex.split(words[2].removeprefix("ARGS=")) if is_under_make else words[2:]
    assert words[:2] == (["make", "demo"] if is_under_make else ["killreport", "demo"])
    assert f"--home={home}" in typed
    chosen = dict(argument.split("=") for argument in typed)
    assert {chosen[options[place]] for place in places}.isdisjoint(str(port) for port in ports)
    assert len({chosen[option] for option in options}) == 3
    assert [path.name for path in home.iterdir()] == ["demo.lock"]


def test_a_corpus_without_killmails_is_told_in_a_sentence_and_nothing_is_left_running(
    home: Path, tmp_path: Path
) -> None:
    corpus = tmp_path / "shopping-list.txt"
    corpus.write_text("milk\n")
    web, api, sim = free_ports(3)

    result = subprocess.run(
        [
            *(sys.executable, "-m", "killreport", "demo", f"--home={home}", f"--corpus={corpus}"),
            *(f"--web-port={web}", f"--api-port={api}", f"--sim-port={sim}"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )

    assert result.returncode == 1
    assert "      killreport: The corpus holds no killmail in ESI's present shape.\n" in result.stdout
    log = home / "logs" / "simulator-error.log"
    assert result.stderr == f"killreport: simulator ended with status 1 before it was ready; its log: {log}\n"
    assert processes_of(home) == {}
