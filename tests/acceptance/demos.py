"""Running `killreport demo` as its user does: a command in a terminal, a browser's requests, Ctrl-C."""

from __future__ import annotations

import asyncio
import os
import select
import signal
import sys
from collections.abc import AsyncIterator, Iterable, Iterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import aiohttp

# Ends a test that would wait for ever; a start takes a few seconds, on a busy machine more.
PATIENCE_SECONDS = 200


def processes_of(home: Path) -> dict[int, str]:
    """Return the command lines of living processes that have to do with the home, by id.

    They have it in their arguments or environment; one that was forked and renamed has a file open there, its slot.
    """
    found = {}
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdecimal() and (command := (entry / "cmdline").read_bytes()):
                environment = (entry / "environ").read_bytes().split(b"\0")
                if (
                    bytes(home) in command
                    or b"KILLREPORT_HOME=" + bytes(home) in environment
                    or any(home in path.parents for path in _open_files(entry))
                ):
                    found[int(entry.name)] = command.replace(b"\0", b" ").decode()
    return found


def _open_files(process: Path) -> Iterator[Path]:
    for entry in (process / "fd").iterdir():
        with suppress(OSError):  # closed meanwhile
            yield entry.readlink()


def wait_until_gone(pids: Iterable[int]) -> None:
    """Return when none of the processes is alive. Raises TimeoutError for one that stays."""
    for pid in pids:
        with suppress(ProcessLookupError):
            handle = os.pidfd_open(pid)
            try:
                if not select.select([handle], [], [], PATIENCE_SECONDS)[0]:
                    raise TimeoutError(f"process {pid} stays")
            finally:
                os.close(handle)


class RunningDemo:
    """A demo that is up, and the way in."""

    def __init__(self, process: asyncio.subprocess.Process, ports: list[int], session: aiohttp.ClientSession) -> None:
        self.process = process
        self.said: list[str] = []
        self.web, self.api, self.sim = (f"http://127.0.0.1:{port}" for port in ports)
        self._session = session

    async def read_until(self, words: str) -> None:
        """Read what the demo says up to a line that has the words."""
        assert self.process.stdout is not None
        async with asyncio.timeout(PATIENCE_SECONDS):
            while line := (await self.process.stdout.readline()).decode():
                self.said.append(line.rstrip())
                if words in line:
                    return
        raise AssertionError(f"the demo ended without saying {words!r}: {self.said}")

    async def page(self) -> str:
        """Return the site's first page."""
        async with self._session.get(self.web) as answer:
            assert answer.status == 200
            return await answer.text()

    async def stored_ids(self) -> list[int]:
        """Return the ids of all killmails the API lists, newest first."""
        return [node["id"] async for node in self._pages("id")]

    async def _pages(self, fields: str) -> AsyncIterator[dict[str, Any]]:
        after = None
        query = (
            "query($after: String) { killmails(first: 100, after: $after) "
            f"{{ nodes {{ {fields} }} pageInfo {{ endCursor }} }} }}"
        )
        while True:
            body = {"query": query, "variables": {"after": after}}
            async with self._session.post(f"{self.api}/graphql", json=body) as answer:
                found = (await answer.json())["data"]["killmails"]
            for node in found["nodes"]:
                yield node
            after = found["pageInfo"]["endCursor"]
            if not found["nodes"] or after is None:
                return

    async def victim_names(self) -> list[str | None]:
        """Return the names of the victims' corporations in all killmails the API lists; None for one not known yet."""
        pages = self._pages("id victim { corporation { name } }")
        return [node["victim"]["corporation"]["name"] async for node in pages]

    async def publish(self) -> int:
        """Have the simulator publish one more killmail and return its id."""
        async with self._session.post(f"{self.sim}/control/publish", json={"count": 1}) as answer:
            head = (await answer.json())["head"]
        async with self._session.get(f"{self.sim}/ephemeral/{head}.json") as answer:
            killmail_id: int = (await answer.json(content_type=None))["killmail_id"]
        return killmail_id

    async def publish_and_watch(self) -> int:
        """Have a killmail published while a page is open; return its id when the page has been sent it."""
        async with self._session.get(f"{self.web}/live") as stream:
            killmail_id = await self.publish()
            async with asyncio.timeout(PATIENCE_SECONDS):
                async for line in stream.content:
                    if f"/kill/{killmail_id}".encode() in line:
                        return killmail_id
        raise AssertionError("the live stream ended")

    async def press_ctrl_c(self) -> int:
        """Do what a terminal does, and return the status of the demo when it has ended."""
        self.process.send_signal(signal.SIGINT)
        await self.read_until("All stopped")
        return await self.process.wait()


@asynccontextmanager
async def start_demo(home: Path, ports: list[int], *options: str) -> AsyncIterator[RunningDemo]:
    """Start a demo and lend it when it has said where the site is; one that still runs afterwards is killed."""
    web, api, sim = ports
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "killreport", "demo", f"--home={home}", "--rate=0.1"),
        *(f"--web-port={web}", f"--api-port={api}", f"--sim-port={sim}", *options),
        stdout=asyncio.subprocess.PIPE,
        stdin=asyncio.subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith("KILLREPORT_")},
        limit=1_000_000,
    )
    try:
        async with aiohttp.ClientSession() as session:
            demo = RunningDemo(process, ports, session)
            await demo.read_until("Open http://")
            yield demo
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.wait()
