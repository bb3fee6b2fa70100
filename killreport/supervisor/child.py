"""One running process: started by us, or taken over from the supervisor before us."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import subprocess
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from killreport.supervisor.forking import LISTEN_DESCRIPTOR
from killreport.supervisor.orphans import status_of_child
from killreport.supervisor.process_table import usage_of_sessions
from killreport.supervisor.slot import Slot, sign_in
from killreport.supervisor.template import Template

_PIDFD_GETFD = 438  # the same number on every architecture. Source: pidfd_getfd(2)


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started. out, error: the pipes it writes to. listener: passed on as LISTEN_FDS.

    arguments: what a template runs instead of the command; None where the command is no such program.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    out: Path
    error: Path
    listener: socket.socket | None = None
    arguments: Sequence[str] | None = None


class Child:
    """A process in a slot. status: its exit status once it ended, negative for a signal; None where nobody knows.

    living: all that this supervisor watches, those of a reload that has not ended too.
    """

    living: ClassVar[weakref.WeakSet[Child]] = weakref.WeakSet()

    def __init__(
        self, slot: Slot, pid: int, pidfd: int, started_at: float, wait: Callable[[], int | None] | None
    ) -> None:
        self.slot = slot
        self.pid = pid
        self.started_at = started_at
        self.status: int | None = None
        self.words = ""  # what it last said of itself (STATUS=)
        self.is_ready = asyncio.Event()
        self.has_ended = asyncio.Event()
        self._pidfd = pidfd
        self._wait = wait
        Child.living.add(self)
        asyncio.get_running_loop().add_reader(pidfd, self._on_end)

    @property
    def is_alive(self) -> bool:
        """Tell whether the process has not ended yet."""
        return not self.has_ended.is_set()

    def say_ready(self) -> None:
        """Note that it is ready, here and for the supervisor after us."""
        if not self.is_ready.is_set():
            self.slot.mark_ready()
            self.is_ready.set()

    def send(self, number: signal.Signals) -> None:
        """Signal the process and its group. Nothing happens where it has ended."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, 0)  # the number is still its own
                os.killpg(self.pid, number)

    async def end(self, patience_seconds: float) -> None:
        """Stop it: SIGTERM, and after the patience SIGKILL for its whole session. Returns when the slot is free."""
        self.send(signal.SIGTERM)
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.has_ended.wait(), patience_seconds)
        await self.clear()

    async def clear(self) -> None:
        """End whatever is left of its session at once, and return when the slot is free."""
        self.send(signal.SIGKILL)
        await self.has_ended.wait()
        while not self.slot.is_free():
            left = usage_of_sessions([self.pid]).get(self.pid)
            for pid in left.pids if left else self.slot.holders():
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            await asyncio.sleep(0.01)

    def listener(self) -> socket.socket | None:
        """Return a copy of the listening socket it was passed; None where the kernel does not give it."""
        libc = ctypes.CDLL(None, use_errno=True)
        descriptor = libc.syscall(_PIDFD_GETFD, self._pidfd, LISTEN_DESCRIPTOR, 0)
        if descriptor < 0:
            return None
        os.set_inheritable(descriptor, False)
        found = socket.socket(fileno=descriptor)
        if found.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
            return found
        found.close()
        return None

    def let_go(self) -> None:
        """Watch it no longer; it goes on."""
        if self.is_alive:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)

    def _on_end(self) -> None:
        asyncio.get_running_loop().remove_reader(self._pidfd)
        if self._wait is not None:
            self.status = self._wait()
        os.close(self._pidfd)
        self.has_ended.set()


async def start_child(slot: Slot, launch: Launch, template: Template | None = None) -> Child:
    """Start a process in an empty slot: forked from the template where there is one, else as a program of its own.

    Not to be cancelled. Raises BlockingIOError where the slot is taken, OSError where the process cannot start.
    """
    lock = slot.try_lock()
    if lock is None:
        raise BlockingIOError(f"{slot.path} is taken")
    descriptors = [lock]
    environment = dict(launch.environment)
    try:
        # Held for reading too: whoever writes never finds the pipe without a reader, though no supervisor runs.
        descriptors += [os.open(pipe, os.O_RDWR | os.O_CLOEXEC) for pipe in (launch.out, launch.error)]
        listeners = [] if launch.listener is None else [launch.listener.fileno()]
        if listeners:
            environment["LISTEN_FDS"] = "1"
        pid, wait, go = None, None, -1
        if template is not None and launch.arguments is not None:
            waits, go = os.pipe()
            descriptors += [waits, go]
            pid = await template.fork(launch.arguments, environment, [*descriptors[:4], *listeners])
        if pid is None:
            process = _spawn(launch, environment, descriptors[:3], listeners)
            pid, wait = process.pid, process.wait
        occupant = slot.occupant()
        started_at = occupant.started_at if occupant else 0.0
        child = Child(slot, pid, os.pidfd_open(pid), started_at, wait or (lambda: status_of_child(pid)))
        if wait is None:
            os.write(go, b"1")
    except OSError:
        kill_leftovers(slot)  # a fork that was late must not live where the next one will
        raise
    finally:
        for descriptor in descriptors:
            os.close(descriptor)
    return child


def _spawn(
    launch: Launch, environment: Mapping[str, str], descriptors: Sequence[int], listeners: Sequence[int]
) -> subprocess.Popen[bytes]:
    lock, output, error = descriptors

    def prepare() -> None:
        sign_in(lock)
        for listener in listeners:
            os.dup2(listener, LISTEN_DESCRIPTOR)

    return subprocess.Popen(  # noqa: S603 - the command is the fleet table's
        launch.command,
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=error,
        env=environment,
        pass_fds=[lock, *([LISTEN_DESCRIPTOR] if listeners else [])],
        start_new_session=True,
        preexec_fn=prepare,  # noqa: PLW1509 - one thread, and what it does is async-signal-safe enough
    )


def adopt_child(slot: Slot) -> Child | None:
    """Return the process that lives in the slot; None where the slot is free, or only leftovers hold it."""
    occupant = slot.occupant()
    if slot.is_free() or occupant is None:
        return None
    try:
        pidfd = os.pidfd_open(occupant.pid)
    except ProcessLookupError:
        return None
    if occupant.pid not in slot.holders():  # the number is another's by now
        os.close(pidfd)
        return None
    child = Child(slot, occupant.pid, pidfd, occupant.started_at, None)
    if occupant.is_ready:
        child.is_ready.set()
    return child


def kill_leftovers(slot: Slot) -> None:
    """End processes that hold a slot whose occupant is gone."""
    for pid in slot.holders():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
