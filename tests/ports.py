"""Ports for processes that a test starts, which have to be told one before they listen."""

from __future__ import annotations

import secrets
import socket

# Below those that systems give out by themselves, from 32,768 on: one of those may be given to somebody else, as the
# near end of a connection, before the process listens.
_FIRST, _LAST = 10_000, 32_000


def free_port() -> int:
    """Return a port nobody listens on; chosen so that no two tests are likely to choose alike, whatever their seed."""
    while True:
        port = _FIRST + secrets.randbelow(_LAST - _FIRST)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


def free_ports(count: int) -> list[int]:
    """Return so many different ports nobody listens on."""
    found: set[int] = set()
    while len(found) < count:
        found.add(free_port())
    return list(found)
