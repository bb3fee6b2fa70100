"""The workers of the fleet as real processes, for tests that kill them."""

from __future__ import annotations

import asyncio
import contextlib
import random
import signal
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from killreport.config import Settings
from killreport.environment import child_environment
from killreport.fleet.table import FLEET

WORKERS = tuple(row.name for row in FLEET if row.kind == "worker")


class Workers:
    """All workers, one process each, started again when they end."""

    def __init__(self, environment: Mapping[str, str], logs: Path) -> None:
        self._environment = environment
        self._logs = logs
        self._processes: dict[str, asyncio.subprocess.Process] = {}
        self.killed = 0

    async def start(self, name: str) -> None:
        """Start a worker; what it says goes to the end of its log."""
        with (self._logs / f"{name}.log").open("ab") as log:
            self._processes[name] = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "killreport", "run", name), env=self._environment, stdout=log, stderr=log
            )

    async def kill_one(self, chance: random.Random) -> None:
        """End a random worker as a crash would, and start it again."""
        name = chance.choice(WORKERS)
        process = self._processes[name]
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
        self.killed += 1
        await self.start(name)

    async def revive(self) -> None:
        """Start again what ended by itself, as one does that is started while the database is away."""
        for name, process in list(self._processes.items()):
            if process.returncode is not None:
                await self.start(name)

    async def stop(self) -> dict[str, int]:
        """Let every worker finish what it has in hand, and return the status each ended with."""
        for process in self._processes.values():
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
        return {name: await process.wait() for name, process in self._processes.items()}

    async def kill_all(self) -> None:
        """End whatever still runs."""
        for process in self._processes.values():
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    def last_words(self, name: str) -> str:
        """Return the end of a worker's log."""
        return (self._logs / f"{name}.log").read_text(errors="replace")[-2000:]


@asynccontextmanager
async def run_workers(settings: Settings, logs: Path) -> AsyncIterator[Workers]:
    """Run every worker with these settings while the block runs; nothing of them is left behind."""
    await asyncio.to_thread(logs.mkdir)
    workers = Workers(child_environment(settings), logs)
    try:
        for name in WORKERS:
            await workers.start(name)
        yield workers
    finally:
        await workers.kill_all()
