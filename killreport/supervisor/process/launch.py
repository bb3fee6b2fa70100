"""Starting a process in two steps: all that can go wrong before it runs, and then its first instruction.

Between the two another one can be ended whose place it takes, and only then: what cannot start replaces nobody.
"""

from __future__ import annotations

import asyncio
import errno
import os
import shutil
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.child import Child, kill_leftovers
from killreport.supervisor.process.forking import LISTEN_DESCRIPTOR, ForkRequest
from killreport.supervisor.process.orphans import dying_with, status_of_child
from killreport.supervisor.process.program import Program
from killreport.supervisor.process.slot import ProcessSlot, sign_in
from killreport.supervisor.process.template import Template

# How often those that a template forked too late are killed before the slot counts as theirs.
_CLEARINGS = 200


@dataclass(frozen=True, slots=True)
class Launch:
    """How a process is started. out, error: the pipes it writes to. listener: passed on as LISTEN_FDS.

    arguments: what a template runs instead of the command; None where the command is no such program.
    dies_with_us: whether the kernel is to kill it when this process ends.
    """

    command: Sequence[str]
    environment: Mapping[str, str]
    out: Path
    error: Path
    listener: socket.socket | None = None
    arguments: Sequence[str] | None = None
    dies_with_us: bool = False

    @classmethod
    def of(
        cls,
        program: Program,
        folder: FleetFolder,
        options: tuple[str, ...] = (),
        listener: socket.socket | None = None,
    ) -> Launch:
        """Return how a program of the fleet is started. options: more for its command."""
        told = {"NOTIFY_SOCKET": folder.notify_address}
        if program.row.kind != "job":
            told["WATCHDOG_USEC"] = str(int(program.row.watchdog.total_seconds() * 1_000_000))
        return cls(
            command=(*program.command, *options),
            environment={**program.environment, **told},
            out=folder.pipes / f"{program.name}.out",
            error=folder.pipes / f"{program.name}.error",
            listener=listener,
            arguments=None if program.arguments is None else (*program.arguments, *options),
            dies_with_us=program.dies_with_supervisor,
        )


class PreparedProcess:
    """A process that holds its slot and has not begun: forked already where there is a template. `begin` or `drop` it.

    descriptors: the slot's lock, standard output and standard error.
    """

    def __init__(self, slot: ProcessSlot, launch: Launch, descriptors: list[int]) -> None:
        self._slot = slot
        self._launch = launch
        self._descriptors = descriptors
        self._listeners = [] if launch.listener is None else [launch.listener.fileno()]
        self._environment = dict(launch.environment) | ({"LISTEN_FDS": "1"} if self._listeners else {})
        self._forked: int | None = None
        self._go = -1

    async def fork(self, template: Template, arguments: Sequence[str]) -> None:
        """Have it forked, so that it waits at a pipe; nothing happens where the template cannot. Raises OSError."""
        waits, self._go = os.pipe2(os.O_CLOEXEC)
        try:
            request = ForkRequest(
                arguments=list(arguments),
                environment=self._environment,
                lives_with=os.getpid() if self._launch.dies_with_us else 0,
            )
            self._forked = await template.fork(request, [*self._descriptors, waits, *self._listeners])
        finally:
            os.close(waits)
        if self._forked is None:
            self._close_go()
            await _clear(self._slot)

    def begin(self) -> Child:
        """Let it run. Raises OSError where it cannot after all; then nothing lives in the slot."""
        try:
            wait: Callable[[], int | None]
            if self._forked is None:
                process = _spawn(self._launch, self._environment, self._descriptors, self._listeners)
                pid, wait = process.pid, process.wait
            else:
                pid = self._forked
                wait = partial(status_of_child, pid)
            occupant = self._slot.occupant()
            child = Child(self._slot, pid, os.pidfd_open(pid), occupant.started_at if occupant else 0.0, wait)
            if self._forked is not None:
                os.write(self._go, b"1")
        except OSError:
            kill_leftovers(self._slot)
            raise
        finally:
            self._close()
        return child

    def drop(self) -> None:
        """Give the slot back; what was forked for it ends."""
        self._close()
        kill_leftovers(self._slot)

    def _close(self) -> None:
        self._close_go()
        while self._descriptors:
            os.close(self._descriptors.pop())

    def _close_go(self) -> None:
        if self._go >= 0:
            os.close(self._go)
            self._go = -1


async def prepare(slot: ProcessSlot, launch: Launch, template: Template | None = None) -> PreparedProcess:
    """Return a process that only waits for `begin`, in an empty slot.

    Not to be cancelled. Raises BlockingIOError where the slot is taken, OSError where the process cannot start.
    """
    lock = slot.try_lock()
    if lock is None:
        raise BlockingIOError(errno.EAGAIN, "is taken", str(slot.path))
    prepared = PreparedProcess(slot, launch, descriptors := [lock])
    try:
        # Held for reading too: whoever writes never finds the pipe without a reader, though no supervisor runs.
        descriptors.extend(os.open(pipe, os.O_RDWR | os.O_CLOEXEC) for pipe in (launch.out, launch.error))
        if template is not None and launch.arguments is not None:
            await prepared.fork(template, launch.arguments)
        if shutil.which(launch.command[0], path=launch.environment.get("PATH")) is None:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), launch.command[0])
    except BaseException:
        prepared.drop()
        raise
    return prepared


async def start_child(slot: ProcessSlot, launch: Launch, template: Template | None = None) -> Child:
    """Start a process in an empty slot: forked from the template where there is one, else as a program of its own.

    Not to be cancelled. Raises BlockingIOError where the slot is taken, OSError where the process cannot start.
    """
    return (await prepare(slot, launch, template)).begin()


async def _clear(slot: ProcessSlot) -> None:
    """End what a template forked too late, as it must not sign in where the next one lives. Raises OSError."""
    for _ in range(_CLEARINGS):
        if not slot.holders():
            return
        kill_leftovers(slot)
        await asyncio.sleep(0.01)
    raise BlockingIOError(errno.EAGAIN, "is held by a process that does not end", str(slot.path))


def _spawn(
    launch: Launch, environment: Mapping[str, str], descriptors: Sequence[int], listeners: Sequence[int]
) -> subprocess.Popen[bytes]:
    lock, output, error = descriptors
    arrange_end = dying_with(os.getpid()) if launch.dies_with_us else None

    def prepare_program() -> None:
        if arrange_end is not None:
            arrange_end()
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
        preexec_fn=prepare_program,  # noqa: PLW1509 - one thread, and what it does is async-signal-safe enough
    )
