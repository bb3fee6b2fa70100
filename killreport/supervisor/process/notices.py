"""What children say of themselves: systemd's sd_notify, on a socket that every supervisor binds anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable
from pathlib import Path

from killreport.supervisor.process.identity import identity_of

# pid, uid, gid of the sender, as the kernel saw them. Source: unix(7), SCM_CREDENTIALS.
_CREDENTIALS = struct.Struct("3i")


class Inbox:
    """Hands every message to `on_notice`, with the session of its sender, until it is closed."""

    def __init__(self, address: str, on_notice: Callable[[int, dict[str, str]], None]) -> None:
        self._path = Path(address)
        self._on_notice = on_notice
        self._socket = self._bind()
        self._file = identity_of(self._path)

    @property
    def is_in_place(self) -> bool:
        """Tell whether what is sent to the address arrives here."""
        return identity_of(self._path) == self._file

    def put_back(self) -> None:
        """Be at the address again. Raises OSError."""
        fresh = self._bind()
        self.close()
        self._socket, self._file = fresh, identity_of(self._path)

    def close(self) -> None:
        """Hear nothing more."""
        asyncio.get_running_loop().remove_reader(self._socket)
        self._socket.close()

    def _bind(self) -> socket.socket:
        inbox = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        try:
            self._path.unlink(missing_ok=True)
            inbox.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
            inbox.bind(str(self._path))
            self._path.chmod(0o600)
        except OSError:
            inbox.close()
            raise
        asyncio.get_running_loop().add_reader(inbox, self._receive, inbox)
        return inbox

    def _receive(self, inbox: socket.socket) -> None:
        with contextlib.suppress(BlockingIOError):
            while True:
                message, ancillary, _flags, _sender = inbox.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
                for _level, kind, data in ancillary:
                    if kind == socket.SCM_CREDENTIALS:
                        _tell(_CREDENTIALS.unpack(data)[0], message, self._on_notice)


def _tell(pid: int, message: bytes, on_notice: Callable[[int, dict[str, str]], None]) -> None:
    lines = message.decode(errors="replace").splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    with contextlib.suppress(ProcessLookupError):  # it said its last word and ended
        on_notice(os.getsid(pid), fields)
