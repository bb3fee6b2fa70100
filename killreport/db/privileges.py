"""Under which user PostgreSQL's programs run. PostgreSQL refuses root, so root's server runs as a user of its own.

That user is a number which nobody else has, from a range that is given to no one. It needs no line in /etc/passwd, so
it is there in a container without `useradd` and with a read-only /etc just the same. Two things would want a line: a
program that asks for its own name, as `initdb` does (so it runs as an account of the system that runs nothing else,
and what it made is given away), and a client's name, which is root's.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import pwd
import signal
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from killreport.errors import Unavailable

# Neither a system's nor a person's, nor one systemd hands out. Source: https://systemd.io/UIDS-GIDS/, checked 2026-11.
FIRST_UID, LAST_UID = 60706, 61183
# An account without a person behind it has a lower number.
FIRST_PERSON = 1000
NOBODY = "nobody"
# Source: linux/prctl.h; part of the kernel's stable interface.
_PR_SET_PDEATHSIG = 1

ServerUserSetup = Callable[[], None]


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server's programs; `uid` None is the present user."""

    uid: int | None = None
    gid: int | None = None

    def own(self, path: Path) -> None:
        """Give a file or folder of the server's to it."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def own_all(self, folder: Path) -> None:
        """Give a folder with all that is in it to this user; the folder itself last, so it tells when that is done.

        Raises Unavailable for a file that has a second name: whose file it is too, it cannot tell.
        """
        if self.uid is None or self.gid is None or not folder.is_dir():
            return
        # Nobody but root finds the way in meanwhile.
        os.chown(folder, 0, 0, follow_symlinks=False)
        for path, folders, files, descriptor in os.fwalk(folder):
            for name in (*folders, *files):
                state = os.stat(name, dir_fd=descriptor, follow_symlinks=False)
                if state.st_nlink > 1 and name in files:
                    raise Unavailable(f"The file {path}/{name} has a second hard link: the database is not taken over.")
                os.chown(name, self.uid, self.gid, dir_fd=descriptor, follow_symlinks=False)
        self.own(folder)

    def setup(self, death_signal: int) -> ServerUserSetup:
        """Return what a child must do between fork and exec: become this user, and die with its parent.

        death_signal: what the kernel sends the child when this process ends, however it ends (Linux only).
        """
        libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        parent = os.getpid()

        def become() -> None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            if self.uid is not None and self.gid is not None:
                os.setgroups([])
                os.setgid(self.gid)
                os.setuid(self.uid)
            if libc is not None:
                # After the change of user, which clears it.
                libc.prctl(_PR_SET_PDEATHSIG, ctypes.c_ulong(death_signal), 0, 0, 0)
            if os.getppid() != parent:
                os._exit(1)

        return become

    def ask(self, question: Callable[[], str]) -> str:
        """Return the answer this user gets: asked in a child that has become it; "" where that is not possible."""
        setup = self.setup(signal.SIGKILL)
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                setup()
                os.write(writer, question().encode())
            finally:
                os._exit(0)
        os.close(writer)
        with os.fdopen(reader, encoding="utf-8") as answer:
            text = answer.read()
        os.waitpid(child, 0)
        return text


def server_user(data: Path) -> ServerUser:
    """Return who is to run the server: the present user, or for root a user that nobody else is.

    data: the data directory; where it exists and is a person's, that person runs the server. One of root's, or of
    `nobody`, whom others share, is to be taken over. Raises Unavailable where this root may not become another user.
    """
    if os.geteuid() != 0:
        return ServerUser()
    owner = owner_of(data)
    user = own_user(data) if owner.uid in (None, 0, _uid_of(NOBODY)) else owner
    if not user.ask(lambda: "yes"):
        raise Unavailable(
            f"PostgreSQL refuses to run as root, and root cannot switch to user {user.uid} here: run KillReport as "
            "an ordinary user, or set KILLREPORT_DATABASE_URL."
        )
    return user


def owner_of(path: Path) -> ServerUser:
    """Return whose the file or folder is; uid None where there is none."""
    try:
        state = path.stat()
    except FileNotFoundError:
        return ServerUser()
    return ServerUser(state.st_uid, state.st_gid)


def own_user(path: Path) -> ServerUser:
    """Return a user that has neither a name nor a process; for the same path the same one, as long as that is so."""
    count = LAST_UID - FIRST_UID + 1
    first = int.from_bytes(hashlib.sha256(os.fsencode(path)).digest()[:8], "big") % count
    taken = _running_uids()
    for step in range(count):
        uid = FIRST_UID + (first + step) % count
        if uid not in taken and not name_of(uid):
            return ServerUser(uid, uid)
    raise Unavailable("There is no unused user that the embedded PostgreSQL could run as: set KILLREPORT_DATABASE_URL.")


def named_user(user: ServerUser) -> ServerUser:
    """Return a user with a name, for the moment of `initdb`: `user` where it has one, else an account without work.

    `nobody` only where there is no other, as in the smallest containers. Raises Unavailable where there is none at all.
    """
    if user.uid is None or name_of(user.uid):
        return user
    taken = _running_uids()
    accounts = [entry for entry in pwd.getpwall() if entry.pw_uid != 0 and entry.pw_uid not in taken]
    system = [entry for entry in accounts if entry.pw_uid < FIRST_PERSON and entry.pw_name != NOBODY]
    # The last is who is least likely to be anybody: the first are the machine's oldest, such as `daemon`.
    chosen = (system or [entry for entry in accounts if entry.pw_name == NOBODY] or accounts)[-1:]
    if not chosen:
        raise Unavailable(
            "PostgreSQL refuses to be set up by root, and /etc/passwd has no other account that runs nothing: run "
            "KillReport as an ordinary user, or set KILLREPORT_DATABASE_URL."
        )
    return ServerUser(chosen[0].pw_uid, chosen[0].pw_gid)


def name_of(uid: int) -> str:
    """Return the name of a user, "" where it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return ""


def _uid_of(name: str) -> int | None:
    try:
        return pwd.getpwnam(name).pw_uid
    except KeyError:
        return None


def _running_uids() -> set[int]:
    """Return the users that processes run as, in any of the four ways a process can."""
    found: set[int] = set()
    for path in Path("/proc").glob("[0-9]*/status"):
        try:
            lines = path.read_text(errors="replace").splitlines()
        except OSError:
            continue  # it has ended meanwhile
        found.update(int(uid) for line in lines if line.startswith("Uid:") for uid in line.split()[1:])
    return found
