"""The socket at which commands are told: its owner's alone, and whoever connects is looked at again."""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager

import msgspec
import structlog

from killreport import __version__
from killreport.background import Errands
from killreport.clock import utc_now
from killreport.errors import KillreportError, in_words
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.identity import Identity, identity_of
from killreport.supervisor.process.program import Program
from killreport.supervisor.protocol import MAX_REQUEST_BYTES, About, ControlReply, Request
from killreport.supervisor.verbs import Verbs

# pid, uid, gid of the peer. Source: unix(7), SO_PEERCRED.
_CREDENTIALS = struct.Struct("3i")
# For a line that a command sends as soon as it is connected, also on a machine with a tenth of a core.
_PATIENCE_SECONDS = 60.0
_BACKLOG = 100

log = structlog.get_logger()


class Control:
    """Carries out requests. stop: set by `kill`, once every process has ended.

    read_programs: returns the programs as they are wanted now; None where they never change.
    """

    def __init__(
        self,
        verbs: Verbs,
        folder: FleetFolder,
        stop: asyncio.Event,
        read_programs: Callable[[], Sequence[Program]] | None = None,
    ) -> None:
        self._read_programs = read_programs
        self._verbs = verbs
        # Whether somebody wants it to stay away, as opposed to whoever only stops this process.
        self.is_told_to_end = False
        self._folder = folder
        self._stop = stop
        self._server: asyncio.Server | None = None
        self._file: Identity | None = None
        self._errands = Errands()
        self._about = About(pid=os.getpid(), version=__version__, started_at=utc_now(), home=str(folder.path.parent))

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        """Take requests while the block runs."""
        self._server = await asyncio.start_unix_server(self._serve, sock=self._bind(), limit=MAX_REQUEST_BYTES)
        try:
            yield
        finally:
            self._server.close()
            if self.is_in_place:
                self._folder.control.unlink(missing_ok=True)

    @property
    def is_in_place(self) -> bool:
        """Tell whether commands find this supervisor."""
        return identity_of(self._folder.control) == self._file

    def put_back(self) -> None:
        """Be where commands look for it again; those being carried out are. Raises OSError."""
        bound, before = self._bind(), self._server
        self._errands.run(self._serve_at(bound), "control")
        if before is not None:
            before.close()

    async def _serve_at(self, bound: socket.socket) -> None:
        self._server = await asyncio.start_unix_server(self._serve, sock=bound, limit=MAX_REQUEST_BYTES)

    def _bind(self) -> socket.socket:
        path = self._folder.control
        path.unlink(missing_ok=True)
        bound = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC)
        before = os.umask(0o177)
        try:
            bound.bind(str(path))
        except OSError:
            bound.close()
            raise
        finally:
            os.umask(before)
        bound.listen(_BACKLOG)
        self._file = identity_of(path)
        return bound

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            if _user_of(writer.get_extra_info("socket")) not in (0, os.geteuid()):
                return
            async with asyncio.timeout(_PATIENCE_SECONDS):
                line = await reader.readline()
            answer = await self._answer(line)
            writer.write(msgspec.json.encode(answer) + b"\n")
            await writer.drain()
        except (OSError, TimeoutError, ValueError):
            log.debug("command_went_away")
        finally:
            writer.close()

    async def _answer(self, line: bytes) -> ControlReply:
        try:
            return await self._carry_out(msgspec.json.decode(line, type=Request))
        except msgspec.MsgspecError as error:
            return ControlReply(
                error=f"The supervisor does not understand this command: {error}.", error_kind="Malformed"
            )
        except KillreportError as error:
            return ControlReply(error=str(error), error_kind=type(error).__name__)
        except OSError as error:
            return ControlReply(error=f"{in_words(error)}.", error_kind="Unavailable")
        except Exception as error:  # whoever asked must not believe that the supervisor has ended
            log.exception("verb_failed")
            words = f"An error nobody expected: {type(error).__name__}: {in_words(error)}."
            return ControlReply(
                error=f"{words} The supervisor's log shows where it happened.", error_kind="Unavailable"
            )

    async def _carry_out(self, request: Request) -> ControlReply:
        verbs, name, answer = self._verbs, request.name, ControlReply()
        match request.verb:
            case "ping":
                answer = ControlReply(about=self._about)
            case "list":
                answer = ControlReply(states=verbs.states())
            case "start" | "stop" | "restart" | "reload":
                answer = ControlReply(states=await getattr(verbs, request.verb)(name))
            case "delete":
                await verbs.delete(name)
            case "scale":
                answer = ControlReply(states=await verbs.scale(name, request.count))
            case "trigger":
                run = await verbs.trigger(name)
                answer = ControlReply(records=[await asyncio.shield(run)] if request.waits else [])
            case "runs":
                answer = ControlReply(records=verbs.runs(name))
            case "apply":
                if self._read_programs is not None:
                    answer = ControlReply(names=await verbs.apply(self._read_programs()))
            case "save":
                answer = ControlReply(count=verbs.save())
            case "resurrect":
                answer = ControlReply(states=await verbs.resurrect())
            case "kill":
                await verbs.stop_all()
                self.is_told_to_end = True
                self._stop.set()
        return answer


def _user_of(connection: socket.socket) -> int:
    credentials = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    user: int = _CREDENTIALS.unpack(credentials)[1]
    return user
