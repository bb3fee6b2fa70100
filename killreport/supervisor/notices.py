"""What children say of themselves: systemd's sd_notify, on a socket that every supervisor binds anew."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

# pid, uid, gid of the sender, as the kernel saw them. Source: unix(7), SCM_CREDENTIALS.
_CREDENTIALS = struct.Struct("3i")


@contextmanager
def listening(address: str, on_notice: Callable[[int, dict[str, str]], None]) -> Iterator[None]:
    """Hand every message to `on_notice`, with the session of its sender, while the block runs."""
    loop = asyncio.get_running_loop()
    path = Path(address)
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC) as inbox:
        inbox.setsockopt(socket.SOL_SOCKET, socket.SO_PASSCRED, 1)
        inbox.bind(address)
        path.chmod(0o600)

        def receive() -> None:
            with contextlib.suppress(BlockingIOError):
                while True:
                    message, ancillary, _flags, _sender = inbox.recvmsg(4096, socket.CMSG_SPACE(_CREDENTIALS.size))
                    for _level, kind, data in ancillary:
                        if kind == socket.SCM_CREDENTIALS:
                            _tell(_CREDENTIALS.unpack(data)[0], message, on_notice)

        loop.add_reader(inbox, receive)
        try:
            yield
        finally:
            loop.remove_reader(inbox)


def _tell(pid: int, message: bytes, on_notice: Callable[[int, dict[str, str]], None]) -> None:
    lines = message.decode(errors="replace").splitlines()
    fields = dict(line.split("=", 1) for line in lines if "=" in line)
    with contextlib.suppress(ProcessLookupError):  # it said its last word and ended
        on_notice(os.getsid(pid), fields)
