"""How much one connection may hold, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a request's head: its bytes and lines, those of its address, seconds until it is whole.

    body_bytes: what follows the head, however it is framed; the API reads less. write_seconds: an answer of which the
    other side reads nothing for so long is broken off. kept_seconds: as head_seconds, for who comes when it is full.
    """

    head_bytes: int = 65_536
    head_lines: int = 100
    address_bytes: int = 16_384
    body_bytes: int = 1_048_576
    head_seconds: float = 10.0
    body_seconds: float = 20.0
    write_seconds: float = 30.0
    kept_seconds: float = 2.0
    linger_seconds: float = 1.0
    # Requests on one connection that wait for the answer to the one before.
    pipelined: int = 16


BOUNDS = Bounds()
