"""A cable between a client and a server that a test may cut, freeze or unplug."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from yarl import URL

PORTS = {"amqp": 5672, "postgresql": 5432, "redis": 6379}


class Cable:
    """Forwards connections to a server. url: the server's, by way of this cable."""

    def __init__(self, url: str) -> None:
        # yarl knows no URL with a user and no host, as that of a database behind a unix socket is.
        self._target = URL(url.replace("@/", "@socket/"))
        folder = self._target.query.get("host")
        self._socket = None if folder is None else f"{folder}/.s.PGSQL.5432"
        self._server: asyncio.Server | None = None
        self._port = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._frozen: set[asyncio.Task[None]] = set()
        self._swallows = False
        self._cut_after: int | None = None

    @property
    def url(self) -> str:
        """Return the URL that leads through the cable."""
        if self._socket is None:
            return str(self._target.with_host("127.0.0.1").with_port(self._port))
        return f"postgresql://{self._target.user}@127.0.0.1:{self._port}{self._target.path}"

    async def plug(self) -> None:
        """Take connections."""
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self._port)
        self._port = self._server.sockets[0].getsockname()[1]

    async def unplug(self) -> None:
        """End every connection, and refuse new ones."""
        assert self._server is not None
        self._server.close()
        self.cut()
        await self._server.wait_closed()

    def cut(self) -> None:
        """End every connection at once; new ones are taken."""
        for writer in self._writers:
            writer.transport.abort()

    def cut_after(self, count: int) -> None:
        """End every connection once so many more bytes went to the server."""
        self._cut_after = count

    def freeze(self) -> None:
        """Let the present connections fall silent without ending them; new ones are as before."""
        self._frozen |= self._tasks

    def swallow(self) -> None:
        """Take everything, of new connections too, and tell nothing."""
        self._swallows = True
        self.freeze()

    def spit(self) -> None:
        """Let new connections through again; those that were swallowed stay silent."""
        self._swallows = False

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await self._connect()
        for source, sink, is_up in ((reader, back, True), (there, writer, False)):
            self._writers.add(sink)
            task = asyncio.create_task(self._forward(source, sink, is_up=is_up))
            self._tasks.add(task)
            if self._swallows:
                self._frozen.add(task)
            task.add_done_callback(self._tasks.discard)

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._socket is not None:
            return await asyncio.open_unix_connection(self._socket)
        return await asyncio.open_connection(self._target.host, self._target.port or PORTS[self._target.scheme])

    async def _forward(self, source: asyncio.StreamReader, sink: asyncio.StreamWriter, *, is_up: bool) -> None:
        with suppress(OSError):
            while data := await source.read(65536):
                if asyncio.current_task() in self._frozen:
                    continue
                sink.write(data)
                await sink.drain()
                if is_up and self._cut_after is not None:
                    self._cut_after -= len(data)
                    if self._cut_after <= 0:
                        self._cut_after = None
                        self.cut()
        if asyncio.current_task() in self._frozen:
            # Not even the end of the connection is told.
            await asyncio.Event().wait()
        self._writers.discard(sink)
        sink.close()

    async def end(self) -> None:
        """Leave nothing behind."""
        if self._server is not None:
            self._server.close()
        self.cut()
        for task in self._frozen:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@asynccontextmanager
async def cable_to(url: str) -> AsyncIterator[Cable]:
    """Lend a plugged cable to the server of that URL."""
    cable = Cable(url)
    await cable.plug()
    try:
        yield cable
    finally:
        await cable.end()
