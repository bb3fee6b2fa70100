"""The socket at which commands are told: its owner's alone, and whoever connects is looked at again."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog

from killreport import __version__
from killreport.clock import utc_now
from killreport.errors import KillreportError
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.program import Program
from killreport.supervisor.protocol import MOST_REQUEST_BYTES, About, Answer, Request
from killreport.supervisor.supervisor import Supervisor

# pid, uid, gid of the peer. Source: unix(7), SO_PEERCRED.
_CREDENTIALS = struct.Struct("3i")
_PATIENCE_SECONDS = 5.0

log = structlog.get_logger()


class Control:
    """Carries out requests. stop: set by `kill`, once every process has ended.

    read_programs: returns the programs as they are wanted now; None where they never change.
    """

    def __init__(
        self,
        supervisor: Supervisor,
        folder: FleetFolder,
        stop: asyncio.Event,
        read_programs: Callable[[], Sequence[Program]] | None = None,
    ) -> None:
        self._read_programs = read_programs
        self._supervisor = supervisor
        self._folder = folder
        self._stop = stop
        self._about = About(pid=os.getpid(), version=__version__, started_at=utc_now(), home=str(folder.path.parent))

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take requests while the block runs."""
        path = self._folder.control
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        before = os.umask(0o177)
        try:
            server = await asyncio.start_unix_server(self._serve, path, limit=MOST_REQUEST_BYTES)
        finally:
            os.umask(before)
        try:
            yield
        finally:
            server.close()
            with contextlib.suppress(FileNotFoundError):
                path.unlink()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _user_of(writer.get_extra_info("socket")) not in (0, os.geteuid()):
                return
            line = await asyncio.wait_for(reader.readline(), _PATIENCE_SECONDS)
            answer = await self._answer(line)
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            log.debug("command_went_away")
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> Answer:
        try:
            return await self._carry_out(msgspec.json.decode(line, type=Request))
        except msgspec.MsgspecError as error:
            return Answer(error=f"The supervisor does not understand this command: {error}.", error_kind="Malformed")
        except KillreportError as error:
            return Answer(error=str(error), error_kind=type(error).__name__)
        except OSError as error:
            return Answer(error=f"{error.strerror or error}.", error_kind="Unavailable")

    async def _carry_out(self, request: Request) -> Answer:
        supervisor, name, answer = self._supervisor, request.name, Answer()
        match request.verb:
            case "ping":
                answer = Answer(about=self._about)
            case "list":
                answer = Answer(states=supervisor.states())
            case "start" | "stop" | "restart" | "reload":
                answer = Answer(states=await getattr(supervisor, request.verb)(name))
            case "delete":
                await supervisor.delete(name)
            case "scale":
                answer = Answer(states=await supervisor.scale(name, request.count))
            case "trigger":
                run = await supervisor.trigger(name)
                answer = Answer(records=[await asyncio.shield(run)] if request.waits else [])
            case "runs":
                answer = Answer(records=supervisor.runs(name))
            case "apply":
                if self._read_programs is not None:
                    answer = Answer(names=await supervisor.apply(self._read_programs()))
            case "save":
                answer = Answer(count=supervisor.save())
            case "resurrect":
                answer = Answer(states=await supervisor.resurrect())
            case "kill":
                await supervisor.stop_all()
                self._stop.set()
        return answer


def _user_of(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(credentials)[1]
    return user
