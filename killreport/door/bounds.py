"""How much one connection may hold, and how long it may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Bounds:
    """Of a request's head: its bytes and lines, those of its address, seconds until it is whole.

    body_bytes: what follows the head, however it is framed; the API reads less. write_seconds: an answer of which the
    other side reads nothing for so long is broken off. kept_seconds: as head_seconds, for who comes when it is full.
    idle_seconds: after an answer, until the next request; whole seconds, for they are announced.
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
    # Longer than what stands before us keeps a connection, or it sends a request into one that we are just closing and
    # its visitor reads "502". Seconds by default: nginx and AWS's balancer 60, Traefik 90, Caddy 120, Google's 600.
    # Source: Google Cloud, "External Application Load Balancer overview", backend HTTP keepalive timeout: fixed at 600,
    # to be exceeded by what stands behind it. Checked 2026-11-30.
    idle_seconds: int = 620
    # Requests on one connection that wait for the answer to the one before.
    pipelined: int = 16


BOUNDS = Bounds()
