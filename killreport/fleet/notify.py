"""Telling the process manager how this process is, in systemd's words (sd_notify).

Whoever started us names a datagram socket in NOTIFY_SOCKET: systemd, a supervisor of ours, or nobody. Without one,
and when nobody listens any more, every function here does nothing: a process works the same under any manager.
Source: sd_notify(3), https://www.freedesktop.org/software/systemd/man/latest/sd_notify.html
"""

from __future__ import annotations

import contextlib
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

from killreport.config import notify_socket_address

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


def _notify(state: str) -> None:
    address = notify_socket_address()
    if address is None:
        return
    # A manager that has died is no reason to stop serving.
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as out:
        out.sendto(state.encode(), address)
