"""Serving one ASGI application on one socket until told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import logging
import math
import socket
from collections.abc import Callable, Iterator, Sequence, Set
from contextlib import contextmanager
from functools import partial
from typing import Any, cast

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from killreport.background import beside
from killreport.clock import monotonic
from killreport.door.bounds import BOUNDS, Bounds
from killreport.door.connection_limit import ConnectionLimit
from killreport.door.http import BoundedHttp, no_headers
from killreport.door.websocket import MAX_MESSAGE_BYTES, BoundedWebSocket
from killreport.environment import passed_listeners
from killreport.errors import Conflict
from killreport.fleet.notify import notify_ready, notify_status

BACKLOG = 2048
# The first descriptor of LISTEN_FDS. Source: sd_listen_fds(3).
PASSED_LISTENER = 3
# How long open requests may take after the signal; pages that stay open for live updates are cut off then.
DRAIN_SECONDS = 5
# How long connections without a request in hand may wait for their next one after the signal.
LINGER_SECONDS = 1.0
_LOOK_SECONDS = 0.05
# A WebSocket is pinged this often, and is dead when it has not answered until the next one.
PING_SECONDS = 20.0


# What strangers could write into the log as often as they like, and what is no error: a WebSocket refused on purpose.
_NOT_WORTH_A_LINE = ("without completing handshake", "Invalid HTTP request received", "Unsupported upgrade request")


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Whether uvicorn's line says something."""
    return not record.getMessage().startswith(_NOT_WORTH_A_LINE) and _NOT_WORTH_A_LINE[0] not in record.getMessage()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers (ours decide), telling the process manager when it accepts."""

    def __init__(self, config: uvicorn.Config, on_started: Callable[[], None]) -> None:
        super().__init__(config)
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to `stop_on_signals`."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start accepting, then say so."""
        await super().startup(sockets)
        if self.started:
            self._on_started()
            notify_ready()
            notify_status("serves requests")

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept nothing more, tell every client to come again, and end when the connections have.

        Subscribers are told at once (close code 1012, service restart). Who keeps a connection to ask again finds
        `Connection: close` in the next answer: closing it now could cross a request that is on its way.
        """
        for server in self.servers:
            server.close()
        state = self.server_state
        state.default_headers = [*state.default_headers, (b"connection", b"close")]
        for connection in list(state.connections):
            if not isinstance(connection, HttpToolsProtocol):
                connection.shutdown()
        deadline = monotonic() + LINGER_SECONDS
        while state.connections and monotonic() < deadline:  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(_LOOK_SECONDS)
        await super().shutdown(sockets)


class PortTaken(Conflict):
    """Somebody else listens there."""


def choose_free_ports(host: str, ports: Sequence[int], others: Set[int]) -> list[int]:
    """Return for each port the next higher one that is free now and none of the others."""
    chosen: list[int] = []
    for port in ports:
        for candidate in range(port + 1, 65_536):
            if candidate in others or candidate in chosen:
                continue
            with contextlib.suppress(Conflict):
                bind(host, candidate, "").close()
                chosen.append(candidate)
                break
        else:
            chosen.append(port)
    return chosen


def bind(host: str, port: int, setting: str) -> socket.socket:
    """Return a socket that listens on `host` and `port`; the one that the process manager passed on, if it did.

    setting: the name to put into the sentence. Raises PortTaken, or Conflict where the port needs rights this user
    lacks, or the address is none of this machine's.
    """
    if passed_listeners():
        return socket.socket(fileno=PASSED_LISTENER)
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=BACKLOG)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(f"Port {port} is in use on {host}; {setting} chooses another.") from None
        raise Conflict(f"Cannot listen on {host} port {port} ({setting}): {error.strerror or error}.") from None


def _nothing() -> None:
    pass


async def serve(
    app: Any,
    listener: socket.socket,
    stop: asyncio.Event,
    on_started: Callable[[], None] = _nothing,
    *,
    connection_limit: ConnectionLimit | None = None,
    bounds: Bounds = BOUNDS,
) -> None:
    """Serve `app` on `listener` until `stop` is set; open requests then have a few seconds to end.

    The application finds `stop` as `app.state.stop`, so that responses without an end can end. Where it has
    `app.state.refusal_headers`, they stand on what is refused before it is asked, by the Origin. on_started: called
    once the application has loaded what it keeps, before the process says that it is ready. No connection_limit: as
    many as there are descriptors for.
    """
    doors: dict[str, Any] = {"connection_limit": connection_limit or ConnectionLimit.wide(), "bounds": bounds}
    heads: dict[str, Any] = {}
    if hasattr(app, "state"):
        app.state.stop = stop
        heads["refusal_headers"] = getattr(app.state, "refusal_headers", no_headers)
    # Inherited by every connection. An answer that fits into the buffers, and of which nothing is read, would else keep
    # its connection for ever: closing waits until it is sent.
    if hasattr(socket, "TCP_USER_TIMEOUT") and listener.family in (socket.AF_INET, socket.AF_INET6):
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(bounds.write_seconds * 1_000))
    logging.getLogger("uvicorn.error").addFilter(_is_worth_a_line)
    config = uvicorn.Config(
        app,
        http=cast(Any, partial(BoundedHttp, **doors, **heads)),
        ws=cast(Any, partial(BoundedWebSocket, **doors)),
        ws_max_size=MAX_MESSAGE_BYTES,
        # A message of 9 MB can inflate to 9 GB; what is said here is short.
        ws_per_message_deflate=False,
        # Who speaks for whom is a setting of the API; uvicorn would believe every process of this machine.
        proxy_headers=False,
        ws_ping_interval=PING_SECONDS,
        ws_ping_timeout=PING_SECONDS,
        access_log=False,
        log_config=None,
        server_header=False,
        timeout_keep_alive=math.ceil(bounds.idle_seconds),
        timeout_graceful_shutdown=DRAIN_SECONDS,
    )
    server = _Server(config, on_started)

    async def watch() -> None:
        await stop.wait()
        server.should_exit = True

    async with beside(watch(), "stop"):
        await server.serve(sockets=[listener])
