"""Telling the supervisor something, from a command."""

from __future__ import annotations

import socket

import msgspec

from killreport import errors
from killreport.errors import KillreportError, Unavailable
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.protocol import ControlReply, Request

# For what a supervisor answers at once, on a machine that gives it a processor now and then.
ANSWER_SECONDS = 30.0


class NoSupervisor(Unavailable):
    """No supervisor runs in this folder."""


class StandsStill(Unavailable):
    """The supervisor is there and does not answer."""


def ask(folder: FleetFolder, request: Request, timeout_seconds: float | None = None) -> ControlReply:
    """Return the supervisor's answer. Raises NoSupervisor, StandsStill, or what the supervisor raised.

    timeout_seconds: None waits as long as it takes: starting a process that is slow, ending a run that is long.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC) as connection:
        connection.settimeout(timeout_seconds)
        try:
            connection.connect(str(folder.control))
            connection.sendall(msgspec.json.encode(request) + b"\n")
            line = connection.makefile("rb").readline()
        except TimeoutError:
            raise StandsStill(f"The supervisor hangs: it did not answer within {timeout_seconds:g} s.") from None
        except OSError:
            raise NoSupervisor("No supervisor is running; killreport start starts one.") from None
    if not line:
        raise Unavailable("The supervisor ended before it answered.")
    answer = msgspec.json.decode(line, type=ControlReply)
    if answer.error is not None:
        raise _error_of(answer.error_kind)(answer.error)
    return answer


def _error_of(kind: str) -> type[KillreportError]:
    found = getattr(errors, kind, None)
    # Malformed wants more than a sentence.
    if isinstance(found, type) and issubclass(found, KillreportError) and found is not errors.Malformed:
        return found
    return KillreportError
