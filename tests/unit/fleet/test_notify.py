"""What a process tells its manager."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from killreport.environment import watchdog_seconds
from killreport.fleet import notify


@pytest.mark.parametrize(
    ("wanted", "owner", "seconds"),
    [("60000000", "", 60.0), ("60000000", "1", None), ("0", "", None), ("soon", "", None), ("", "", None)],
)
def test_the_watchdog_is_fed_where_the_manager_wants_it(
    monkeypatch: pytest.MonkeyPatch, wanted: str, owner: str, seconds: float | None
) -> None:
    monkeypatch.setenv("WATCHDOG_USEC", wanted)
    monkeypatch.setenv("WATCHDOG_PID", owner)
    assert watchdog_seconds() == seconds


class Manager:
    """A process manager's socket, whose queue can be filled."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK)
        self.inbox.bind(str(path))
        self._path = str(path)
        monkeypatch.setenv("NOTIFY_SOCKET", self._path)

    def fill(self) -> None:
        """Stand still: take nothing until no datagram more fits."""
        with (
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK) as out,
            contextlib.suppress(BlockingIOError),
        ):
            while True:
                out.sendto(b"FILLER=1", self._path)

    def heard(self) -> list[str]:
        """Return what came, without what filled the queue."""
        words = []
        with contextlib.suppress(BlockingIOError):
            while True:
                words.append(self.inbox.recv(4096).decode())
        return [word for word in words if word != "FILLER=1"]


@pytest.fixture
def manager(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Manager]:
    monkeypatch.setattr(notify, "RETRY_SECONDS", 0.001)
    found = Manager(tmp_path / "notify.sock", monkeypatch)
    yield found
    found.inbox.close()


async def test_a_manager_that_stands_still_stops_nobody_and_hears_the_newest_words_afterwards(manager: Manager) -> None:
    manager.fill()
    notify.notify_ready()
    notify.notify_status("begins")
    notify.notify_status("is at work")
    assert manager.heard() == []
    words: list[str] = []
    async with asyncio.timeout(10):
        while len(words) < 2:
            await asyncio.sleep(0)
            words += manager.heard()
    assert words == ["READY=1", "STATUS=is at work"]


def test_a_process_without_a_loop_does_not_wait_for_its_manager_either(manager: Manager) -> None:
    manager.fill()
    notify.notify_status("is at work")
    assert manager.heard() == []


async def test_a_wait_without_a_limit_says_how_long_it_takes_until_it_is_over() -> None:
    told: list[str] = []
    enough = asyncio.Event()

    async def sleep(_seconds: float) -> None:
        if len(told) == 2:
            enough.set()
            await asyncio.Event().wait()

    async with asyncio.timeout(10), notify.telling_wait("waits for the database", told.append, sleep=sleep):
        await enough.wait()
    assert told == ["waits for the database, 5 s so far", "waits for the database, 10 s so far"]
