"""How long the fleet takes from one command until its ten long-running processes do what they are for, and how much
memory it holds then: under killreport's supervisor, and under PM2 in the same run.

Both run the same ten commands on the same database, with the queues in it. Memory is proportional (PSS): what several
processes share counts once. The managers count too. PM2 comes from the npm registry, into a folder of this run's own.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from bench.databases import bench_database, bench_server
from bench.processes import free_port, memory_mb, simulator
from killreport.config import Settings
from killreport.environment import child_environment
from killreport.fleet.table import FLEET

LONG_RUNNING = tuple(row.name for row in FLEET if row.kind != "job")
PM2 = "pm2@7"
READY_SECONDS = 120
# What the processes still do after they said READY: their first look at the queue, their first sweep.
SETTLE_SECONDS = 5.0


@asynccontextmanager
async def surroundings() -> AsyncIterator[dict[str, str]]:
    """Lend the environment of a fleet: a database and home of its own, free ports, a simulator instead of the world."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(bench_server())
        database = await stack.enter_async_context(bench_database(server))
        home = stack.enter_context(tempfile.TemporaryDirectory(prefix="killreport-bench-"))
        session = await stack.enter_async_context(aiohttp.ClientSession())
        local = Settings.model_validate({"home": home, "database_url": database, "database_pool_size": 3})
        sim = await stack.enter_async_context(simulator(local, session))
        outside = dict.fromkeys(("r2z2_url", "redisq_url", "zkillboard_url", "esi_url", "everef_url"), sim)
        yield child_environment(local.replace(**outside, api_port=free_port(), web_port=free_port()))


async def under_killreport(*, warm: bool) -> dict[str, Any]:
    """Measure `killreport start`. warm: forked from one warm process; else ten programs, as other managers run them."""
    async with surroundings() as environment:
        environment["KILLREPORT_WARM_START"] = str(warm).lower()
        began = time.perf_counter()
        await _run(sys.executable, "-m", "killreport", "start", *LONG_RUNNING, environment=environment)
        seconds = time.perf_counter() - began
        try:
            await asyncio.sleep(SETTLE_SECONDS)
            listed = json.loads(
                await _run(sys.executable, "-m", "killreport", "jlist", environment=environment, is_read=True)
            )
            ping = await _run(
                sys.executable, "-m", "killreport", "ping", "--json", environment=environment, is_read=True
            )
            pid = int(json.loads(ping)["pid"])
            # The warm process is the supervisor's child in a session of its own, like the rest.
            processes = [row["pid"] for row in listed]
            templates = [child for child in _children(pid) if child not in processes]
            return _figures(seconds, processes, [pid, *templates])
        finally:
            await _run(sys.executable, "-m", "killreport", "kill", environment=environment)


async def under_pm2(pm2: Path) -> dict[str, Any]:
    """Measure `pm2 start` of the same commands, until each said READY at a socket of ours."""
    async with surroundings() as environment:
        with (
            tempfile.TemporaryDirectory(prefix="killreport-pm2-") as folder,
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as notices,
        ):
            notices.bind(f"{folder}/notify")
            notices.setblocking(False)
            environment |= {"NOTIFY_SOCKET": f"{folder}/notify", "PM2_HOME": f"{folder}/pm2"}
            ecosystem = Path(folder) / "ecosystem.config.js"
            ecosystem.write_text(f"module.exports = {json.dumps({'apps': [_app(name) for name in LONG_RUNNING]})}\n")
            began = time.perf_counter()
            await _run(str(pm2), "start", str(ecosystem), environment=environment)
            try:
                await _all_ready(notices, len(LONG_RUNNING))
                seconds = time.perf_counter() - began
                await asyncio.sleep(SETTLE_SECONDS)
                listed = json.loads(await _run(str(pm2), "jlist", environment=environment, is_read=True))
                daemon = int((Path(folder) / "pm2" / "pm2.pid").read_text())
                return _figures(seconds, [row["pid"] for row in listed], [daemon])
            finally:
                await _run(str(pm2), "kill", environment=environment)


def _app(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "script": sys.executable,
        "interpreter": "none",
        "args": ["-m", "killreport", "run", name],
        "cwd": str(Path.cwd()),
    }


async def _all_ready(notices: socket.socket, count: int) -> None:
    async with asyncio.timeout(READY_SECONDS):
        while count:
            if b"READY=1" in await asyncio.get_running_loop().sock_recv(notices, 4096):
                count -= 1


async def _run(*command: str, environment: dict[str, str], is_read: bool = False) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, env=environment, stdout=asyncio.subprocess.PIPE if is_read else asyncio.subprocess.DEVNULL
    )
    out, _ = await process.communicate()
    if process.returncode:
        raise RuntimeError(f"{' '.join(command[-4:])} ended with {process.returncode}")
    return (out or b"").decode()


def _children(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()]


def _figures(seconds: float, processes: Iterable[int], managers: Iterable[int]) -> dict[str, Any]:
    processes_mb = sum(memory_mb(pid)["pss_mb"] for pid in processes)
    managers_mb = sum(memory_mb(pid)["pss_mb"] for pid in managers)
    return {
        "ready_s": round(seconds, 2),
        "processes_pss_mb": round(processes_mb, 1),
        "manager_pss_mb": round(managers_mb, 1),
        "all_pss_mb": round(processes_mb + managers_mb, 1),
    }


def install_pm2(folder: Path) -> Path | None:
    """Return PM2's command, installed there; None where npm is missing or cannot."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    command = [npm, "install", "--prefix", str(folder), "--no-fund", "--no-audit", "--silent", PM2]
    done = subprocess.run(command, check=False, stdout=subprocess.DEVNULL, env=dict(os.environ))
    return folder / "node_modules" / ".bin" / "pm2" if done.returncode == 0 else None


async def measure_all(rounds: int) -> dict[str, Any]:
    """Measure each way so many times, in turn; the figures are of each one's quickest round."""
    with tempfile.TemporaryDirectory(prefix="killreport-pm2-") as folder:
        pm2 = await asyncio.to_thread(install_pm2, Path(folder))
        found: dict[str, list[dict[str, Any]]] = {}
        for _ in range(rounds):
            found.setdefault("killreport", []).append(await under_killreport(warm=True))
            found.setdefault("killreport_without_warm_start", []).append(await under_killreport(warm=False))
            if pm2 is not None:
                found.setdefault("pm2", []).append(await under_pm2(pm2))
    best: dict[str, Any] = {name: min(every, key=lambda one: one["ready_s"]) for name, every in found.items()}
    if "pm2" in best:
        best["ratio_to_pm2"] = {
            what: round(best["killreport"][what] / best["pm2"][what], 2) for what in ("ready_s", "all_pss_mb")
        }
    return best


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=1, help="how often each way is measured")
    print(json.dumps(asyncio.run(measure_all(parser.parse_args().rounds)), indent=1))


if __name__ == "__main__":
    main()
