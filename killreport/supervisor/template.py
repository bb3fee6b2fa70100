"""The warm process that the fleet's processes are forked from: they share its memory and start at once.

It has imported what all of them need, and nothing else: no settings, loop, thread or connection. A forked process has
the session, environment and descriptors it would have had as a program of its own; who runs it cannot tell which it is.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import structlog

from killreport.clock import monotonic
from killreport.supervisor.forking import ForkAnswer, ForkRequest, read_answer, send_request

WARM_SECONDS = 30.0
FORK_SECONDS = 10.0
# After a template that could not be made, how long processes are started as programs of their own.
PAUSE_SECONDS = 60.0

log = structlog.get_logger()


class Template:
    """Keeps one warm process and forks from it; made anew when the code on the disk is another than it has.

    command: what becomes the template; the number of its socket's descriptor is added. log: where it writes.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self._command = command
        self._environment = environment
        self._log = log
        self._lock = asyncio.Lock()
        self._process: subprocess.Popen[bytes] | None = None
        self._socket: socket.socket | None = None
        self._not_before = 0.0

    @property
    def pid(self) -> int | None:
        """Return the id of the warm process, None while there is none."""
        return None if self._process is None else self._process.pid

    async def fork(
        self, arguments: Sequence[str], environment: Mapping[str, str], descriptors: Sequence[int]
    ) -> int | None:
        """Have a process forked that runs `killreport` with the arguments; returns its pid, a child of this process.

        descriptors: the slot's lock, standard output, standard error, a pipe at which the process waits for a byte
        before it begins (and ends where none comes), and, for one that listens, its socket. None where there is no
        template: nothing was started. Raises OSError where the fork itself went wrong.
        """
        request = ForkRequest(arguments=list(arguments), environment=dict(environment))
        async with self._lock:
            for _ in range(2):
                if not await self._get_warm():
                    return None
                answer = await self._exchange(request, descriptors)
                if answer is not None and answer.error:
                    raise OSError(answer.error)
                if answer is not None and answer.pid:
                    return answer.pid
                self.end()  # it is outdated, or gone
        return None

    def end(self) -> None:
        """End the warm process; those forked from it go on."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    async def _get_warm(self) -> bool:
        if self._socket is not None:
            return True
        if monotonic() < self._not_before:
            return False
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ours.setblocking(False)
        with theirs, self._log.open("ab") as log_file:
            self._process = subprocess.Popen(  # noqa: S603, ASYNC220 - the command is ours; nothing here waits for it
                [*self._command, str(theirs.fileno())],
                stdin=subprocess.DEVNULL,
                stdout=log_file,
                stderr=log_file,
                env=dict(self._environment),
                pass_fds=[theirs.fileno()],
                start_new_session=True,
            )
        self._socket = ours
        answer = await self._receive(WARM_SECONDS)
        if answer is None or not answer.is_warm:
            log.warning("no_template", log=str(self._log), again_in_seconds=PAUSE_SECONDS)
            self._not_before = monotonic() + PAUSE_SECONDS
            self.end()
            return False
        return True

    async def _exchange(self, request: ForkRequest, descriptors: Sequence[int]) -> ForkAnswer | None:
        assert self._socket is not None
        try:
            send_request(self._socket, request, descriptors)
        except OSError:
            return None
        return await self._receive(FORK_SECONDS)

    async def _receive(self, seconds: float) -> ForkAnswer | None:
        """Return the next answer, None where the process has gone. Raises TimeoutError, which is an OSError."""
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        with contextlib.suppress(ConnectionError):
            return read_answer(await asyncio.wait_for(loop.sock_recv(self._socket, 4096), seconds))
        return None
