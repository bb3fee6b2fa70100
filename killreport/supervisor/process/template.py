"""The warm process that the fleet's processes are forked from: they share its memory and start at once.

It has imported what all of them need, and nothing else: no settings, loop, thread or connection. A forked process has
the session, environment and descriptors it would have had as a program of its own; who runs it cannot tell which it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
import structlog

from killreport.background import racing
from killreport.clock import monotonic
from killreport.supervisor.process.forking import ForkAnswer, ForkRequest, read_answer, send_request
from killreport.supervisor.process.progress import LOOK_SECONDS, ProcessProgress

# How long it may stand still; one that works, or waits for a processor, is waited for.
WARM_SECONDS = 30.0
FORK_SECONDS = 10.0
# After a template that could not be made, how long processes are started as programs of their own.
PAUSE_SECONDS = 60.0
# For the kernel to take away one that was killed.
_BURIAL_SECONDS = 1.0

log = structlog.get_logger()


class Template:
    """Keeps one warm process and forks from it; made anew when the code on the disk is another than it has.

    command: what becomes the template; the number of its socket's descriptor is added. log: where it writes.
    fork_seconds: how long it may stand still over a fork.
    """

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        log: Path,
        *,
        fork_seconds: float = FORK_SECONDS,
    ) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._fork_seconds = fork_seconds
        self._lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._number = 0
        self._not_before = 0.0
        self.said = ""  # what takes the time, while it warms up

    @property
    def pid(self) -> int | None:
        """Return the id of the warm process, None while there is none."""
        return None if self._process is None else self._process.pid

    async def warm(self) -> None:
        """Have the warm process there before it is needed. Nothing happens where it cannot be made. Raises OSError."""
        async with self._lock:
            await self._get_warm()

    async def fork(self, request: ForkRequest, descriptors: Sequence[int]) -> int | None:
        """Have a process forked that runs `killreport` as requested; returns its pid, a child of this process.

        descriptors: the slot's lock, standard output, standard error, a pipe at which the process waits for a byte
        before it begins (and ends where none comes), and, for one that listens, its socket. None where no template
        forks one: whoever asks starts it by itself, once nobody but them holds the slot: a template that stood still
        was ended, yet what it forked last may live for a moment. Raises OSError where the fork itself went wrong.
        """
        async with self._lock:
            for _ in range(2):
                if not await self._get_warm():
                    return None
                answer = await self._exchange(request, descriptors)
                if answer is not None and answer.error:
                    raise OSError(answer.error)
                if answer is not None and answer.pid:
                    return answer.pid
                self.end()
                if answer is None:
                    return None
                # It is outdated; the next one is not.
        return None

    def end(self) -> None:
        """End the warm process, and what it is just forking; those that were forked from it go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            # One that the disk holds up is taken note of with the other orphans.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._process.wait(_BURIAL_SECONDS)
            self._process = None

    async def _get_warm(self) -> bool:
        if self._socket is not None:
            return True
        if monotonic() < self._not_before:
            return False
        self._spawn()
        self.said = "the warm process is started"
        try:
            answer = await self._receive(0, WARM_SECONDS)
        except BaseException:
            self.end()
            raise
        finally:
            self.said = ""
        if answer is None:
            log.warning("no_template", log=str(self._log), again_in_seconds=PAUSE_SECONDS)
            self._not_before = monotonic() + PAUSE_SECONDS
            self.end()
            return False
        return True

    def _spawn(self) -> None:
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        try:
            ours.setblocking(False)
            with theirs, self._log.open("ab") as log_file:
                self._process = subprocess.Popen(  # noqa: S603 - the command is ours
                    [*self._command, str(theirs.fileno())],
                    stdin=subprocess.DEVNULL,
                    stdout=log_file,
                    stderr=log_file,
                    env=dict(self._environment),
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,
                )
        except OSError:
            ours.close()
            raise
        self._socket = ours

    async def _exchange(self, request: ForkRequest, descriptors: Sequence[int]) -> ForkAnswer | None:
        assert self._socket is not None
        self._number += 1
        try:
            send_request(self._socket, msgspec.structs.replace(request, number=self._number), descriptors)
        except OSError:
            return None
        return await self._receive(self._number, self._fork_seconds)

    async def _receive(self, number: int, still_seconds: float) -> ForkAnswer | None:
        """Return the answer of this number; of 0, that it is warm. None where it has gone, or stands still so long."""
        assert self._socket is not None
        assert self._process is not None
        progress = ProcessProgress(self._process.pid)
        async with racing(self._next(number)) as [receiving]:
            while not receiving.done():
                await asyncio.wait({receiving}, timeout=LOOK_SECONDS)
                progress.look(LOOK_SECONDS, self.said)
                if progress.is_over(still_seconds) and not receiving.done():
                    log.warning("template_stands_still", pid=self._process.pid, idle_seconds=progress.idle_seconds)
                    return None
            answer: ForkAnswer | None = receiving.result()
            return answer

    async def _next(self, number: int) -> ForkAnswer | None:
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            while (answer := read_answer(await loop.sock_recv(self._socket, 4096))) is not None:
                if answer.said:
                    self.said = answer.said
                elif answer.number == number and (number or answer.is_warm):
                    return answer
        return None
