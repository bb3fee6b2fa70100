"""Telling the process manager how this process is, in systemd's words (sd_notify).

Whoever started us names a datagram socket in NOTIFY_SOCKET: systemd, a supervisor of ours, or nobody. Without one,
and when nobody listens any more, every function here does nothing: a process works the same under any manager.
None of them waits: a manager that stands still, whose queue of ten datagrams is full, must not stop a process too.
What it could not be told it is told when it hears again, the newest word of each kind.
Source: sd_notify(3), https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import asyncio
import itertools
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from contextvars import ContextVar

from killreport.background import beside, keep
from killreport.environment import notify_socket_address, watchdog_seconds

# How often whoever waits is told that it goes on.
TELL_SECONDS = 5.0
# How soon a manager that took nothing is told again.
RETRY_SECONDS = 0.5
# What it is still to be told, by kind: the newest word of each.
_untold: dict[str, str] = {}
_on_ready: ContextVar[Callable[[], None] | None] = ContextVar("on_ready", default=None)


@contextmanager
def telling_ready(on_ready: Callable[[], None]) -> Iterator[None]:
    """Have what says READY in this task, and in those it starts, say it to the function instead of the manager."""
    token = _on_ready.set(on_ready)
    try:
        yield
    finally:
        _on_ready.reset(token)


def notify_ready() -> None:
    """Say that this process now does what it is for. Saying it again changes nothing."""
    if (on_ready := _on_ready.get()) is not None:
        on_ready()
    else:
        _notify("READY=1")


def notify_stopping() -> None:
    """Say that this process has been told to stop and is finishing what it has in hand."""
    _notify("STOPPING=1")


def notify_status(sentence: str) -> None:
    """Say in a few words what this process does now; whoever asks its manager reads them."""
    _notify(f"STATUS={' '.join(sentence.split())}")


def notify_waiting(sentence: str) -> None:
    """Say what this process waits for, and why, while somebody else's host is away; "" when it waits no more."""
    _notify(f"X_WAITING={' '.join(sentence.split())}")


@asynccontextmanager
async def telling_wait(
    sentence: str,
    tell: Callable[[str], None] = notify_status,
    *,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> AsyncIterator[None]:
    """Say what is waited for, and again with the time it takes every few seconds, while the block runs.

    For waits that have no limit of their own: a manager that hears nothing new takes its process for one that hangs.
    """

    async def go_on() -> None:
        for round_number in itertools.count():
            if round_number:
                tell(f"{sentence}, {round_number * TELL_SECONDS:g} s so far")
            await sleep(TELL_SECONDS)

    async with beside(go_on(), "telling"):
        yield


@asynccontextmanager
async def feeding_watchdog() -> AsyncIterator[None]:
    """Let the manager hear from this process's event loop while the block runs, twice as often as it wants to.

    A loop that something blocks says nothing; the manager then replaces the process. Source: sd_watchdog_enabled(3).
    """
    seconds = watchdog_seconds()
    if seconds is None:
        yield
        return
    async with beside(keep(lambda: _feed(seconds / 2), "watchdog")):
        yield


async def _feed(pause_seconds: float) -> None:
    while True:
        _notify("WATCHDOG=1")
        await asyncio.sleep(pause_seconds)


def _notify(state: str) -> None:
    address = notify_socket_address()
    if address is not None and not _tell(address, state):
        _tell_later(address, state)


def _tell(address: str | bytes, state: str) -> bool:
    """Return whether it was told, or nobody is there who could be: a manager that died is no reason to stop serving."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        try:
            out.sendto(state.encode(), socket.MSG_DONTWAIT, address)
        except BlockingIOError:
            return False
        except OSError:
            return True
    return True


def _tell_later(address: str | bytes, state: str) -> None:
    """Have it told once the manager takes it. Without a loop nobody is left who could, and a watchdog feeds again."""
    kind = state.partition("=")[0]
    try:
        loop = asyncio.get_running_loop()
    except RuntimeError:
        return
    if kind == "WATCHDOG":
        return
    is_waiting = bool(_untold)
    _untold[kind] = state
    if not is_waiting:
        loop.call_later(RETRY_SECONDS, _tell_untold, loop, address)


def _tell_untold(loop: asyncio.AbstractEventLoop, address: str | bytes) -> None:
    for kind, state in list(_untold.items()):
        if not _tell(address, state):
            loop.call_later(RETRY_SECONDS, _tell_untold, loop, address)
            return
        _untold.pop(kind)
