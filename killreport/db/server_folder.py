"""The embedded server's folder: where its files are, and the two locks by which users and keeper know of each other.

- `users.lock`: every user holds it shared. The keeper waits until it can have it alone, and then stops the server;
  so a user that holds it has a server that stays, and one that arrives during the stop waits.
- `keeper.lock`: its holder is the keeper, from before it is started until it is gone. Its text tells how far it is;
  only the holder writes it, so there is never a state nobody stands for.
Locks are the kernel's (flock): they go with their process however that ends.
"""

from __future__ import annotations

import fcntl
import os
from dataclasses import dataclass
from pathlib import Path

STARTING, READY, FAILED = "starting", "ready", "failed"
# The product's role, and the one that made the server and may do everything.
USER = "killreport"
SUPERUSER = "postgres"
DATABASE = "killreport"
SOCKET_NAME = ".s.PGSQL.5432"


@dataclass(frozen=True)
class ServerFolder:
    """Paths of one embedded server below the home folder; creates nothing."""

    path: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data directory; it exists only when it is complete."""
        return self.path / "data"

    @property
    def run(self) -> Path:
        """Folder of the socket, where its path is short enough."""
        return self.path / "run"

    @property
    def log(self) -> Path:
        """Folder of PostgreSQL's own logs, which belongs to whom the server runs as."""
        return self.path / "log"

    @property
    def start_log(self) -> Path:
        """What `postgres` says before its own log is open."""
        return self.path / "start.log"

    @property
    def keeper_log(self) -> Path:
        """What the keeper says: restarts, and errors nobody expected."""
        return self.path / "keeper.log"

    @property
    def settings(self) -> Path:
        """PostgreSQL's configuration file, written at every start."""
        return self.path / "postgresql.conf"

    @property
    def access(self) -> Path:
        """Who may come in (pg_hba.conf), written at every start."""
        return self.path / "pg_hba.conf"

    @property
    def identities(self) -> Path:
        """Which user of the machine may be which role (pg_ident.conf), written at every start."""
        return self.path / "pg_ident.conf"

    @property
    def users_lock(self) -> Path:
        """Held shared by everybody who uses the server."""
        return self.path / "users.lock"

    @property
    def keeper_lock(self) -> Path:
        """Held by the keeper; its text is the state."""
        return self.path / "keeper.lock"


@dataclass(frozen=True)
class State:
    """How far the keeper is: `starting`, `ready` (detail: the socket's folder) or `failed` to start (detail: why)."""

    word: str
    detail: str = ""


def folder_of(home: Path) -> ServerFolder:
    """Return the embedded server's folder of a home folder, with symbolic links resolved."""
    return ServerFolder(home.expanduser().resolve() / "postgres")


def open_lock(path: Path) -> int:
    """Open a lock file, made when it is missing, and return its descriptor, which children do not inherit."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)


def try_lock(descriptor: int, kind: int) -> bool:
    """Take the lock (fcntl.LOCK_SH or LOCK_EX) if nobody is in the way; return whether it is held now."""
    try:
        fcntl.flock(descriptor, kind | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def write_state(descriptor: int, state: State) -> None:
    """Replace the text of the keeper's lock; only its holder may. A reader in between sees `starting`."""
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, f"{state.word}\n{state.detail}".encode("utf-8", "surrogateescape"), 0)


def read_state(descriptor: int) -> State:
    """Return the state the keeper wrote last; `starting` where it wrote none yet."""
    word, _, detail = os.pread(descriptor, 65536, 0).decode("utf-8", "surrogateescape").partition("\n")
    return State(word or STARTING, detail)
