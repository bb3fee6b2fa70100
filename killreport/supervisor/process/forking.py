"""Inside the warm process: wait for requests, and return in each process that was forked for one.

The forked process is nobody's but the supervisor's: it is forked twice, so that its parent is gone when it begins, and
the supervisor, which the kernel gives orphans to (PR_SET_CHILD_SUBREAPER), learns its exit status as of any child.
"""

from __future__ import annotations

import contextlib
import fcntl
import gc
import os
import socket
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import msgspec
import setproctitle

from killreport.environment import replace_environment
from killreport.supervisor.process.orphans import dying_with
from killreport.supervisor.process.slot import sign_in

# Where systemd's protocol has the first listening socket. Source: sd_listen_fds(3).
LISTEN_DESCRIPTOR = 3
_MAX_BYTES = 262_144
_MAX_DESCRIPTORS = 5
# Received descriptors are kept clear of those that the process is to find them at.
_FIRST_FREE = 10


class ForkRequest(msgspec.Struct, frozen=True, kw_only=True):
    """A process to be made; its descriptors come with the message.

    number: what the answer is told by: one that comes too late is not taken for the next request's.
    lives_with: the supervisor's pid, for a process that is to be killed when the supervisor ends; 0: it goes on.
    """

    number: int = 0
    arguments: list[str]
    environment: dict[str, str]
    lives_with: int = 0


class ForkAnswer(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """number: of the request. pid: of the new process. error: why there is none.

    said: how far warming up has come. is_warm: said once, when requests can come.
    """

    number: int = 0
    said: str = ""
    is_warm: bool = False
    is_outdated: bool = False
    pid: int = 0
    error: str = ""


def send_request(connection: socket.socket, request: ForkRequest, descriptors: Sequence[int]) -> None:
    """Ask for a process. Raises OSError."""
    socket.send_fds(connection, [msgspec.json.encode(request)], list(descriptors))


def read_answer(message: bytes) -> ForkAnswer | None:
    """Return what the other side said, None where it has gone."""
    return msgspec.json.decode(message, type=ForkAnswer) if message else None


def say_warming(connection: socket.socket, said: str) -> None:
    """Tell the supervisor how far warming up has come: who hears nothing new ends a process that stands still."""
    _say(connection, ForkAnswer(said=said))


def wait_for_fork(connection: socket.socket) -> list[str]:
    """Return in a forked process only, with the arguments it is to run with. The warm process itself ends in here."""
    setproctitle.getproctitle()  # it must have seen where the name lies before an environment is replaced
    gc.collect()
    gc.freeze()  # what is there now stays: a collection that touched it would copy every page of it
    code = _code_on_disk()
    _say(connection, ForkAnswer(is_warm=True))
    while True:
        message, descriptors, _flags, _address = socket.recv_fds(
            connection, _MAX_BYTES, _MAX_DESCRIPTORS, socket.MSG_CMSG_CLOEXEC
        )
        if not message:
            raise SystemExit(0)
        request = msgspec.json.decode(message, type=ForkRequest)
        if _code_on_disk() != code:
            _say(connection, ForkAnswer(number=request.number, is_outdated=True))
            raise SystemExit(0)
        try:
            is_forked = _fork_twice()
        except OSError as error:
            _say(connection, ForkAnswer(number=request.number, error=f"{error.strerror or error}."))
            is_forked = False
        if is_forked:
            go = _become(request, descriptors)
            _say(connection, ForkAnswer(number=request.number, pid=os.getpid()))
            connection.close()
            # What it says, and its end, are heard only once the supervisor knows its number.
            if not os.read(go, 1):
                raise SystemExit(0)
            os.close(go)
            return request.arguments
        for descriptor in descriptors:
            os.close(descriptor)


def _say(connection: socket.socket, answer: ForkAnswer) -> None:
    with contextlib.suppress(ConnectionError):
        connection.send(msgspec.json.encode(answer))


def _code_on_disk() -> dict[str, tuple[int, int, int]]:
    """Return what tells whether a module that was imported is still the one on the disk."""
    found = {}
    for module in list(sys.modules.values()):
        path = getattr(module, "__file__", None)
        if path:
            with contextlib.suppress(OSError):
                status = os.stat(path)  # noqa: PTH116 - a thousand of them at each fork
                found[path] = (status.st_mtime_ns, status.st_size, status.st_ino)
    return found


def _fork_twice() -> bool:
    """Return True in the new process, whose parent is gone by then; False in this one. Raises OSError."""
    between = os.fork()
    if between:
        _pid, status = os.waitpid(between, 0)
        if status:
            raise OSError(os.waitstatus_to_exitcode(status), "the process could not be forked")
        return False
    own = os.getpid()
    try:
        if os.fork():
            os._exit(0)
    except OSError as error:
        os._exit(error.errno or 1)
    while os.getppid() == own:
        time.sleep(0.0002)
    return True


def _become(request: ForkRequest, descriptors: Sequence[int]) -> int:
    """Be as a program of its own would be: session, slot, descriptors, environment, name.

    Returns the pipe at which the supervisor says go, or is gone.
    """
    os.setsid()
    if request.lives_with:
        dying_with(request.lives_with)()
    moved = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, _FIRST_FREE) for descriptor in descriptors]
    for descriptor in descriptors:
        os.close(descriptor)
    lock, output, error, go, *listeners = moved
    sign_in(lock)
    os.dup2(output, 1)
    os.dup2(error, 2)
    for listener in listeners:
        os.dup2(listener, LISTEN_DESCRIPTOR)
    for descriptor in (output, error, *listeners):
        os.close(descriptor)
    replace_environment(request.environment)
    setproctitle.setproctitle(" ".join((Path(sys.executable).name, "-m", "killreport", *request.arguments)))
    return go
