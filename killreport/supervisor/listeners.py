"""The sockets that services accept at: ours, so that a service can be replaced without a connection refused."""

from __future__ import annotations

import socket

from killreport.errors import Conflict
from killreport.supervisor.process.program import Program

BACKLOG = 2048


class Listeners:
    """One socket for each program with a port, opened when it is first needed."""

    def __init__(self) -> None:
        self._open: dict[str, socket.socket] = {}
        # Whose port a service accepts at with a socket that we could not take back.
        self._shared: set[str] = set()

    def take_back(self, program: Program, listener: socket.socket | None) -> None:
        """Use the socket that a running service already accepts at, copied from it; None: a second one is opened."""
        if listener is None:
            self._shared.add(program.name)
        elif program.name in self._open:
            listener.close()
        else:
            self._open[program.name] = listener

    def get(self, program: Program) -> socket.socket | None:
        """Return the program's socket, None for one without a port. Raises Conflict where the port is taken."""
        if program.port is None:
            return None
        if program.name not in self._open:
            is_shared = program.name in self._shared
            self._open[program.name] = _listen(program.host, program.port, program.name, is_shared=is_shared)
        return self._open[program.name]

    def drop(self, program: Program) -> None:
        """Accept no longer for this program."""
        listener = self._open.pop(program.name, None)
        if listener is not None:
            listener.close()

    def close(self) -> None:
        """Close our copies; running services keep theirs."""
        for listener in self._open.values():
            listener.close()
        self._open.clear()


def _listen(host: str, port: int, name: str, *, is_shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
    try:
        if not is_shared:
            _refuse_taken(family, host, port)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        # For the supervisor after a crash, where the kernel does not let it have the service's own.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise Conflict(f"{name} cannot listen on {host} port {port}: {error.strerror or error}.") from None
    return listener


def _refuse_taken(family: int, host: str, port: int) -> None:
    """Raise OSError where anybody accepts there: with SO_REUSEPORT two fleets would share a port and not know it."""
    with socket.socket(family, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((host, port))
        probe.listen(1)
