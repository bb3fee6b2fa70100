"""Under which user PostgreSQL's programs run. PostgreSQL refuses root, so root's server runs as `nobody`.

The home folder or the virtual environment may lie where only root can enter. Instead of changing the modes of folders
that are not ours, or copying, the server keeps one capability of root's: to search and read folders whatever their
mode, or, where the programs themselves may be run by root alone, to pass over modes altogether. Which is needed is
tried, not deduced, so that access lists and odd file systems are met too.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from killreport.errors import Unavailable

# Source: linux/capability.h, linux/prctl.h, linux/securebits.h; part of the kernel's stable interface.
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2
_CAPABILITY_VERSION_3 = 0x20080522
_PR_SET_PDEATHSIG = 1
_PR_SET_KEEPCAPS = 8
_PR_SET_SECUREBITS = 28
_PR_CAP_AMBIENT = 47
_PR_CAP_AMBIENT_RAISE = 2
_SECBIT_NO_SETUID_FIXUP = 1 << 2

# The folder everybody can enter stands for the user nobody can become.
_NOT_EVEN_BECOME = Path("/")

ServerUserSetup = Callable[[], None]


class _CapabilityHeader(ctypes.Structure):
    _fields_ = (("version", ctypes.c_uint32), ("pid", ctypes.c_int))


class _CapabilityWord(ctypes.Structure):
    _fields_ = (("effective", ctypes.c_uint32), ("permitted", ctypes.c_uint32), ("inheritable", ctypes.c_uint32))


@dataclass(frozen=True)
class ServerUser:
    """Who runs the server's programs; `uid` None is the present user.

    capability: the one of root's that it keeps, None for none.
    """

    uid: int | None = None
    gid: int | None = None
    capability: int | None = None

    def own(self, path: Path) -> None:
        """Give a file or folder of the server's to it."""
        if self.uid is not None and self.gid is not None:
            os.chown(path, self.uid, self.gid, follow_symlinks=False)

    def setup(self, death_signal: int) -> ServerUserSetup:
        """Return what a child must do between fork and exec: become this user, and die with its parent.

        death_signal: what the kernel sends the child when this process ends, however it ends (Linux only).
        """
        libc = ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None
        parent = os.getpid()

        def become() -> None:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_DFL)
            self._become(libc)
            if libc is not None:
                # After the change of user, which clears it.
                _call(libc, "prctl", _PR_SET_PDEATHSIG, death_signal, 0, 0, 0)
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

    def _become(self, libc: ctypes.CDLL | None) -> None:
        if self.uid is None or self.gid is None:
            return
        if self.capability is not None and libc is not None:
            # Without this bit access(2) answers as if the capability were not there, and postgres asks it.
            _call(libc, "prctl", _PR_SET_SECUREBITS, _SECBIT_NO_SETUID_FIXUP, 0, 0, 0)
            _call(libc, "prctl", _PR_SET_KEEPCAPS, 1, 0, 0, 0)
        os.setgroups([self.gid])
        os.setgid(self.gid)
        os.setuid(self.uid)
        if self.capability is not None and libc is not None:
            _keep_only(libc, self.capability)


def _keep_only(libc: ctypes.CDLL, capability: int) -> None:
    mask = 1 << capability
    words = (_CapabilityWord * 2)(_CapabilityWord(mask, mask, mask), _CapabilityWord(0, 0, 0))
    _call(libc, "capset", ctypes.byref(_CapabilityHeader(_CAPABILITY_VERSION_3, 0)), words)
    _call(libc, "prctl", _PR_CAP_AMBIENT, _PR_CAP_AMBIENT_RAISE, capability, 0, 0)


def _call(libc: ctypes.CDLL, function: str, *arguments: object) -> None:
    as_c = [ctypes.c_ulong(value) if isinstance(value, int) and function == "prctl" else value for value in arguments]
    if getattr(libc, function)(*as_c) != 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{function}: {os.strerror(number)}")


def server_user(programs: Sequence[Path], folders: Sequence[Path], owner_of: Path) -> ServerUser:
    """Return who can run the server: the present user, or for root another with the least capability that suffices.

    programs: must be runnable; folders: must be enterable. owner_of: the data directory; where it exists and is not
    root's, its owner is who runs the server, else `nobody`. Raises Unavailable with a sentence that names the folder
    in the way and the cures.
    """
    if os.geteuid() != 0:
        return ServerUser()
    owner = owner_of.stat().st_uid if owner_of.exists() else 0
    try:
        entry = pwd.getpwuid(owner) if owner != 0 else pwd.getpwnam("nobody")
    except KeyError:
        raise Unavailable(
            f"PostgreSQL refuses to run as root and there is no user `{owner or 'nobody'}` to run it as: run "
            "KillReport as an ordinary user, or set KILLREPORT_DATABASE_URL."
        ) from None
    blocked: Path | None = None
    for capability in (None, CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        user = ServerUser(entry.pw_uid, entry.pw_gid, capability)
        found = _first_unreachable(user, programs, folders)
        if found is None:
            return user
        blocked = blocked or found
    if blocked == _NOT_EVEN_BECOME:
        raise Unavailable(
            f"PostgreSQL refuses to run as root, and this root may not become the user `{entry.pw_name}`: run "
            "KillReport as an ordinary user, or set KILLREPORT_DATABASE_URL."
        )
    raise Unavailable(
        f"PostgreSQL refuses to run as root, and the user `{entry.pw_name}` cannot use {blocked}: make it readable "
        "for everybody, run KillReport as an ordinary user, or set KILLREPORT_DATABASE_URL."
    )


def _first_unreachable(user: ServerUser, programs: Sequence[Path], folders: Sequence[Path]) -> Path | None:
    """Return the outermost path the user cannot use, _NOT_EVEN_BECOME where we cannot be that user, None for none."""
    wanted = [(path, os.X_OK) for target in (*programs, *folders) for path in reversed(target.parents)]
    wanted += [(path, os.R_OK | os.X_OK) for path in programs] + [(path, os.X_OK) for path in folders]

    def number_of_the_first() -> str:
        return str(next((number for number, (path, mode) in enumerate(wanted) if not os.access(path, mode)), -1))

    text = user.ask(number_of_the_first)
    if not text:
        return _NOT_EVEN_BECOME
    return None if text == "-1" else wanted[int(text)][0]
