"""The keeper: the process that starts the embedded PostgreSQL, is its parent, and stops it when nobody uses it.

Run as `python -m killreport.db.keeper FOLDER PROGRAMS LOCK`, in a session of its own so that no terminal's Ctrl-C
reaches it, by the first user, who passes the keeper's lock on to it. It ignores the signals that ask programs to end:
users that drain still need their database, and when they are gone it goes too. Imports nothing but the standard
library's small parts, because it lives as long as the product does.
"""

from __future__ import annotations

import fcntl
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path

from killreport.backoff import Backoff
from killreport.db.cluster import Cluster, choose_socket_folder, server_answers
from killreport.db.privileges import ServerUser, owner_of, server_user
from killreport.db.programs import usable_programs
from killreport.db.server_folder import FAILED, READY, STARTING, ServerFolder, State, open_lock, write_state
from killreport.errors import KillreportError, Unavailable

LOG_CHECK_SECONDS = 3600.0
_POLL_SECONDS = 0.02
_MAX_PAUSE_SECONDS = 5.0


class Keeper:
    """Starts the server, starts it again when it dies, stops it when the last user has left."""

    def __init__(self, folder: ServerFolder, cluster: Cluster, socket_folder: Path, lock: int) -> None:
        self._folder = folder
        self._cluster = cluster
        self._socket_folder = socket_folder
        self._lock = lock
        self._events: queue.SimpleQueue[str] = queue.SimpleQueue()

    def serve(self) -> None:
        """Keep the server up until nobody uses it. Raises Unavailable where it cannot be started at first."""
        server: subprocess.Popen[bytes] | None = self._start()
        threading.Thread(target=self._wait_for_the_last_user, daemon=True).start()
        while server is not None:
            threading.Thread(target=self._wait_for, args=(server,), daemon=True).start()
            if self._next_event() == "unused":
                server.send_signal(signal.SIGINT)
                server.wait()
                return
            print("the server ended with users left; starting it again", file=sys.stderr, flush=True)
            write_state(self._lock, State(STARTING))
            server = self._start_again()

    def _start(self) -> subprocess.Popen[bytes]:
        self._cluster.clear_leftovers()
        server = self._cluster.start(self._socket_folder)
        while not server_answers(self._socket_folder):
            if server.poll() is not None:
                raise Unavailable(f"The embedded PostgreSQL does not start: {self._cluster.last_words()}")
            time.sleep(_POLL_SECONDS)
        try:
            self._cluster.ensure_roles(self._socket_folder)
        except Unavailable:
            server.send_signal(signal.SIGINT)
            server.wait()
            raise
        write_state(self._lock, State(READY, str(self._socket_folder)))
        self._cluster.prune_logs()
        return server

    def _start_again(self) -> subprocess.Popen[bytes] | None:
        """Try until the server answers, or return None when nobody waits for it; the state tells why it fails."""
        backoff = Backoff(_POLL_SECONDS, _MAX_PAUSE_SECONDS)
        while True:
            try:
                return self._start()
            except Unavailable as error:
                print(error, file=sys.stderr, flush=True)
                write_state(self._lock, State(FAILED, str(error)))
            with suppress(queue.Empty):
                self._events.get(timeout=backoff.next())
                return None  # no server runs, so it was the last user that left

    def _next_event(self) -> str:
        while True:
            try:
                return self._events.get(timeout=LOG_CHECK_SECONDS)
            except queue.Empty:
                self._cluster.prune_logs()

    def _wait_for(self, server: subprocess.Popen[bytes]) -> None:
        server.wait()
        self._events.put("died")

    def _wait_for_the_last_user(self) -> None:
        # Held until this process is gone: whoever arrives meanwhile waits, and then starts anew.
        while True:
            try:
                fcntl.flock(open_lock(self._folder.users_lock), fcntl.LOCK_EX)
                break
            except OSError as error:
                if not self._folder.path.exists():
                    break  # nobody can come any more
                # This thread's end would be seen by nobody, and the server would outlive all its users.
                print(f"the users cannot be waited for ({error}); trying again", file=sys.stderr, flush=True)
                time.sleep(_MAX_PAUSE_SECONDS)
        self._events.put("unused")


def keep(folder: ServerFolder, binaries: Path, lock: int, short_base: Path) -> None:
    """Run a server in the folder from start to stop; where that fails the reason is left in the keeper's lock.

    short_base: where the socket's folder goes when its path would be too long.
    """
    try:
        user = server_user(folder.data)
        binaries = usable_programs(binaries, user)
        _take_over(folder, binaries, user)
        folder.log.mkdir(mode=0o700, exist_ok=True)
        user.own(folder.log)
        socket_folder = choose_socket_folder(folder, user, short_base)
        if not os.access(socket_folder, os.X_OK):
            raise Unavailable(
                f"Root has no permission here to enter {socket_folder}, the folder of the embedded PostgreSQL: run "
                "KillReport as an ordinary user, or set KILLREPORT_DATABASE_URL."
            )
        cluster = Cluster(folder, binaries, user)
        cluster.create()
        Keeper(folder, cluster, socket_folder, lock).serve()
        if socket_folder != folder.run:
            socket_folder.rmdir()
    except KillreportError as error:
        write_state(lock, State(FAILED, str(error)))
    except OSError as error:
        write_state(lock, State(FAILED, f"The embedded PostgreSQL cannot be run in {folder.path}: {error}."))


def _take_over(folder: ServerFolder, binaries: Path, user: ServerUser) -> None:
    """Give the server's files to its user, where root finds them as another's: `nobody`'s, of an earlier release."""
    if user.uid is None:
        return
    folder.path.chmod(0o711)  # ours, and its way in
    owner = owner_of(folder.data)
    if owner.uid in (None, user.uid):
        return
    print(f"taking the database over from user {owner.uid} for user {user.uid}", file=sys.stderr, flush=True)
    Cluster(folder, binaries, owner).clear_leftovers()
    for path in (folder.log, folder.run, folder.data):
        user.own_all(path)


def main(arguments: list[str]) -> None:
    """Detach, and keep. arguments: the server's folder, the programs', the lock's descriptor, the short base."""
    folder, binaries, lock, short_base = arguments
    os.set_inheritable(int(lock), False)
    # Nobody's child, so that whoever started it need not wait for it.
    if os.fork() != 0:
        os._exit(0)
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    keep(ServerFolder(Path(folder)), Path(binaries), int(lock), Path(short_base))


if __name__ == "__main__":
    main(sys.argv[1:])
