"""`killreport up`: the whole fleet in one terminal, against a simulated New Eden."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import aiohttp
import pytest

from killreport.cli.processes.first_jobs import FIRST_JOBS
from killreport.fleet.table import FLEET
from tests.acceptance.demos import PATIENCE_SECONDS, processes_of, wait_until_gone
from tests.ports import free_ports

pytestmark = pytest.mark.fleet

FOR_EVER = {row.name for row in FLEET if row.kind != "job"}


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Path]:
    """Yield a home; whatever is left running in it afterwards is ended."""
    yield tmp_path / "home"
    for pid in (left := processes_of(tmp_path / "home")):
        os.kill(pid, signal.SIGKILL)
    wait_until_gone(left)


@pytest.fixture
async def environment(home: Path) -> AsyncIterator[dict[str, str]]:
    """Yield the settings of a fleet whose whole world is a simulator, which runs meanwhile."""
    web, api, sim = free_ports(3)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")}
    outside = ("R2Z2", "REDISQ", "ZKILLBOARD", "ESI", "EVEREF")
    settings = {f"KILLREPORT_{name}_URL": f"http://127.0.0.1:{sim}" for name in outside}
    settings |= {"KILLREPORT_HOME": str(home), "KILLREPORT_WEB_PORT": str(web), "KILLREPORT_API_PORT": str(api)}
    settings |= {"KILLREPORT_FEED_WAIT_SECONDS": "1", "KILLREPORT_ESI_REQUESTS_PER_SECOND": "2000"}
    simulator = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killreport", "sim", "--no-limits", f"--port={sim}", "--rate=0.1"),
        stdout=asyncio.subprocess.PIPE,
        env={**kept, **settings, "KILLREPORT_HOME": str(home.parent / "simulator")},
    )
    try:
        assert simulator.stdout is not None
        assert b"Simulator at" in await asyncio.wait_for(simulator.stdout.readline(), PATIENCE_SECONDS)
        yield {**kept, **settings}
    finally:
        simulator.kill()
        await simulator.wait()


class RunningFleet:
    """A terminal in which `killreport up` runs. said: what it showed."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.said: list[str] = []

    async def read_until(self, words: str) -> None:
        """Read what it says up to a line that has the words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line.rstrip())
                if words in line:
                    return
        raise AssertionError(f"it ended without saying {words!r}: {self.said}")


@asynccontextmanager
async def start_up(environment: dict[str, str], *options: str) -> AsyncIterator[RunningFleet]:
    """Lend a terminal with a fleet that serves; one that still runs afterwards is killed."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killreport", "up", *options), stdout=asyncio.subprocess.PIPE, env=environment
    )
    try:
        fleet = RunningFleet(process)
        await fleet.read_until("Site http://")
        yield fleet
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def run(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "killreport", *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)


async def status_of(url: str) -> int:
    async with aiohttp.ClientSession() as session, session.get(url) as answer:
        return answer.status


async def test_the_whole_fleet_runs_in_one_terminal_and_ends_with_ctrl_c(
    home: Path, environment: dict[str, str]
) -> None:
    async with start_up(environment) as fleet:
        assert {line.split()[0] for line in fleet.said if " up " in line} >= FOR_EVER
        assert await status_of(f"http://127.0.0.1:{environment['KILLREPORT_WEB_PORT']}/") == 200
        listed = await asyncio.to_thread(run, environment, "list")
        second = await asyncio.to_thread(run, environment, "up")
        running = processes_of(home)
        await fleet.read_until("queue-alliances ")
        fleet.process.send_signal(signal.SIGINT)
        await fleet.read_until("All stopped.")
        assert await fleet.process.wait() == 0

    assert all(row.name in listed.stdout for row in FLEET)
    assert (second.returncode, second.stderr) == (
        1,
        f"killreport: The fleet runs under a supervisor already (pid {fleet.process.pid}); killreport kill ends it.\n",
    )
    assert len(running) >= len(FOR_EVER)
    assert processes_of(home) == {}


async def test_a_killed_one_is_succeeded_by_the_next_which_takes_over_what_runs(
    home: Path, environment: dict[str, str]
) -> None:
    async with start_up(environment) as fleet:
        before = {pid for pid, command in processes_of(home).items() if "run worker-" in command}
        fleet.process.kill()
        await fleet.process.wait()

    async with start_up(environment) as fleet:
        after = {pid for pid, command in processes_of(home).items() if "run worker-" in command}
        fleet.process.send_signal(signal.SIGINT)
        await fleet.read_until("All stopped.")
    assert len(before) == len([name for name in FOR_EVER if name.startswith("worker-")])
    assert after == before
    assert processes_of(home) == {}


async def test_one_process_does_it_all_and_the_first_jobs(home: Path, environment: dict[str, str]) -> None:
    async with start_up(environment, "--single-process") as fleet:
        # On a busy machine the addresses are told before the last is up.
        while not {line.split()[0] for line in fleet.said if " up " in line} >= FOR_EVER:
            await fleet.read_until(" up ")
        assert await status_of(f"http://127.0.0.1:{environment['KILLREPORT_API_PORT']}/healthz") == 200
        fleets = [command for command in processes_of(home).values() if "-m killreport run" in command]
        await fleet.read_until(f"{FIRST_JOBS[1]} ")
        fleet.process.send_signal(signal.SIGTERM)
        await fleet.read_until("All stopped.")
        assert await fleet.process.wait() == 0

    # Among them may be one whose schedule came round meanwhile.
    succeeded = [line.split()[0] for line in fleet.said if " succeeded " in line]
    assert [name for name in succeeded if name in FIRST_JOBS] == list(FIRST_JOBS[:2])
    assert fleets == []
    assert processes_of(home) == {}
