"""Users of the embedded server in processes of their own, and looking at that server from outside."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from killreport.db.server_folder import ServerFolder, open_lock

# A test run started in the background of a shell without job control inherits an ignored SIGINT, and so would its
# children: Ctrl-C would go unheard.
LISTEN_TO_CTRL_C = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"

_HOLD = """
import asyncio, sys
from pathlib import Path
from killreport.db.embedded import use_embedded_server
from killreport.logs import configure_logging
from killreport.errors import KillreportError

async def hold():
    binaries = Path(sys.argv[2]) if len(sys.argv) > 2 else None
    try:
        async with use_embedded_server(Path(sys.argv[1]), binaries) as url:
            told_to_leave = asyncio.Event()
            asyncio.get_running_loop().add_reader(sys.stdin, told_to_leave.set)
            print(url, flush=True)
            await told_to_leave.wait()
    except KillreportError as error:
        print("error:", error, flush=True)

configure_logging("warning", "json")
asyncio.run(hold())
"""

_COME_AND_GO = """
import asyncio, sys
from pathlib import Path
import asyncpg
from killreport.db.embedded import use_embedded_server
from killreport.logs import configure_logging

async def come_and_go():
    for _ in range(int(sys.argv[2])):
        async with use_embedded_server(Path(sys.argv[1])) as url:
            connection = await asyncpg.connect(url)
            await connection.fetchval("select 1")
            await connection.close()
    print("done", flush=True)

configure_logging("warning", "json")
asyncio.run(come_and_go())
"""

_WRITE = """
import asyncio, sys
from pathlib import Path
import asyncpg
from killreport.db.embedded import use_embedded_server
from killreport.logs import configure_logging

async def write():
    number = 0
    async with use_embedded_server(Path(sys.argv[1])) as url:
        while True:
            try:
                connection = await asyncpg.connect(url)
                while True:
                    number += 1
                    await connection.execute("insert into written values ($1)", number)
                    print(number, flush=True)
            except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError):
                await asyncio.sleep(0.01)

configure_logging("warning", "json")
asyncio.run(write())
"""


class UserProcess:
    """A process that runs one of the scripts above; its lines on stdout tell how far it is."""

    def __init__(self, script: str, *arguments: str | Path, setup: Callable[[], None] | None = None) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", LISTEN_TO_CTRL_C + script, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            preexec_fn=setup,  # noqa: PLW1509 - the tests have one thread
            start_new_session=True,
        )

    @classmethod
    def hold(cls, home: Path, *arguments: Path, setup: Callable[[], None] | None = None) -> UserProcess:
        """Start one that uses the server until it is told to leave; its first line is the URL, or `error: …`."""
        return cls(_HOLD, home, *arguments, setup=setup)

    @classmethod
    def come_and_go(cls, home: Path, times: int) -> UserProcess:
        """Start one that joins, asks and leaves so many times, and says `done`."""
        return cls(_COME_AND_GO, home, str(times))

    @classmethod
    def write(cls, home: Path) -> UserProcess:
        """Start one that inserts 1, 2, 3, … into `written`, a transaction each, and says each once it is committed."""
        return cls(_WRITE, home)

    def line(self) -> str:
        """Wait for the next line and return it; "" when the process has ended."""
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def lines(self) -> list[str]:
        """Wait for the process's end and return the lines not read yet."""
        assert self._process.stdout is not None
        return self._process.stdout.read().split("\n")

    def leave(self) -> None:
        """Let the process leave the server, and wait for its end."""
        self._process.communicate()

    def interrupt_group(self) -> None:
        """Do what a terminal does at Ctrl-C: SIGINT to everything in the process's group."""
        os.killpg(self._process.pid, signal.SIGINT)
        self._process.wait()

    def kill(self) -> None:
        """Kill -9; a process that has ended is left alone."""
        self._process.kill()
        self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            if stream is not None:
                stream.close()


def wait_until_stopped(folder: ServerFolder) -> None:
    """Return when no keeper is there any more: its lock is free."""
    descriptor = open_lock(folder.keeper_lock)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    os.close(descriptor)


def postmaster_pid(folder: ServerFolder) -> int:
    """Return the pid of the server's main process."""
    return int((folder.data / "postmaster.pid").read_text().split("\n")[0])


def keeper_pid(folder: ServerFolder) -> int:
    """Return the pid of the keeper: the parent of the server's main process."""
    return int(status_line(postmaster_pid(folder), "PPid"))


def status_line(pid: int, name: str) -> str:
    """Return a value of /proc/PID/status."""
    lines = (Path("/proc") / str(pid) / "status").read_text().splitlines()
    return next(line.partition(":")[2].strip() for line in lines if line.startswith(f"{name}:"))


def server_log(folder: ServerFolder) -> str:
    """Return everything PostgreSQL logged."""
    return "".join(path.read_text() for path in sorted(folder.log.glob("*.log")))


def was_shut_down(folder: ServerFolder) -> bool:
    """Whether PostgreSQL logged a clean stop; its logger may write that after the server itself is gone."""
    deadline = time.monotonic() + 30
    while not server_log(folder).strip().endswith("database system is shut down"):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True
