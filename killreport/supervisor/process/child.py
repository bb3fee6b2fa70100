"""One running process: started by us, or taken over from the supervisor before us."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import signal
import socket
import time
import weakref
from collections.abc import Callable, Mapping
from typing import ClassVar

from killreport.background import wait_or_end
from killreport.clock import monotonic
from killreport.supervisor.process.forking import LISTEN_DESCRIPTOR
from killreport.supervisor.process.identity import identity_of
from killreport.supervisor.process.process_table import usage_of_sessions
from killreport.supervisor.process.progress import ProcessProgress
from killreport.supervisor.process.slot import ProcessSlot

# For writing down where it hangs.
ABORT_SECONDS = 2.0
_PIDFD_GETFD = 438  # the same number on every architecture. Source: pidfd_getfd(2)


class Child:
    """A process in a slot. status: its exit status once it ended, negative for a signal; None where nobody knows.

    living: all that this supervisor watches, those of a reload that has not ended too.
    """

    living: ClassVar[weakref.WeakSet[Child]] = weakref.WeakSet()

    def __init__(
        self, slot: ProcessSlot, pid: int, pidfd: int, started_at: float, wait: Callable[[], int | None] | None
    ) -> None:
        self.slot = slot
        self._slot_file = identity_of(slot.path)
        self.pid = pid
        self.started_at = started_at
        self._born = monotonic() - max(0.0, time.time() - started_at)
        self.status: int | None = None
        self.words = ""  # what it last said of itself (STATUS=)
        self.waits_for = ""  # what somebody else is to do first, in its words (X_WAITING=)
        self.pings = False  # whether its loop is to be heard of (WATCHDOG=1)
        self.silent_seconds = 0.0  # since it was, or since it is ready
        self.progress = ProcessProgress(pid)
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

    @property
    def is_in_slot(self) -> bool:
        """Tell whether its slot is where the next supervisor looks."""
        return identity_of(self.slot.path) == self._slot_file

    @property
    def age_seconds(self) -> float:
        """Return for how long it has been there, whatever was done to the clock meanwhile."""
        return monotonic() - self._born

    def hear(self, fields: Mapping[str, str]) -> None:
        """Take note of what it says of itself, in the words of sd_notify(3)."""
        if fields.get("READY") == "1":
            self.say_ready()
        if fields.get("WATCHDOG") == "1":
            self.say_alive()
        self.words = fields.get("STATUS", self.words)
        self.waits_for = fields.get("X_WAITING", self.waits_for)

    def say_ready(self) -> None:
        """Note that it is ready, here and for the supervisor after us."""
        if not self.is_ready.is_set():
            if self.is_in_slot:
                self.slot.mark_ready()
            self.is_ready.set()

    def say_alive(self) -> None:
        """Note that its event loop was heard of."""
        self.silent_seconds = 0.0
        if not self.pings:
            if self.is_in_slot:
                self.slot.mark_pings()
            self.pings = True

    def send(self, number: signal.Signals) -> None:
        """Signal the process and its group. Nothing happens where it has ended."""
        if self.is_alive:
            with contextlib.suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, 0)  # the number is still its own
                os.killpg(self.pid, number)

    async def end(self, patience_seconds: float) -> None:
        """Stop it: SIGTERM, and after the patience SIGKILL for its whole session. Returns when the slot is free."""
        self.send(signal.SIGTERM)
        await wait_or_end(self.has_ended, patience_seconds)
        await self.clear()

    async def abort(self) -> None:
        """End one that does not hear: SIGABRT, at which it writes where it stands, and soon SIGKILL."""
        self.send(signal.SIGABRT)
        await wait_or_end(self.has_ended, ABORT_SECONDS)
        self.send(signal.SIGKILL)  # whoever keeps it clears the slot

    async def clear(self) -> None:
        """End whatever is left of its session at once, and return when the slot is free."""
        self.send(signal.SIGKILL)
        await self.has_ended.wait()
        self._kill_session()
        # Where the file was deleted, another process may live at its place.
        while self.is_in_slot and not self.slot.is_free():
            if not self._kill_session():
                kill_leftovers(self.slot)
            await asyncio.sleep(0.01)

    def _kill_session(self) -> bool:
        """Kill what it forked and left in its session; returns whether there was anything."""
        left = usage_of_sessions([self.pid]).get(self.pid)
        for pid in left.pids if left else ():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return left is not None

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


def adopt_child(slot: ProcessSlot) -> Child | None:
    """Return the process that lives in the slot; None where nobody does: what only holds it is ended."""
    if slot.is_free():
        return None
    occupant = slot.occupant()
    try:
        pidfd = os.pidfd_open(occupant.pid) if occupant is not None else -1
    except ProcessLookupError:
        pidfd = -1
    if occupant is None or pidfd < 0 or occupant.pid not in slot.holders():  # the number may be another's by now
        if pidfd >= 0:
            os.close(pidfd)
        kill_leftovers(slot)
        return None
    child = Child(slot, occupant.pid, pidfd, occupant.started_at, None)
    if occupant.is_ready:
        child.is_ready.set()
    child.pings = occupant.pings
    return child


def kill_leftovers(slot: ProcessSlot) -> None:
    """End processes that hold a slot whose occupant is gone."""
    for pid in slot.holders():
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
