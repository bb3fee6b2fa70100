"""Orphans of the fleet: the kernel gives them to the supervisor, which must learn of their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
import signal
from collections.abc import Callable, Container

_PR_SET_CHILD_SUBREAPER = 36
_PR_SET_PDEATHSIG = 1


def take_orphans() -> None:
    """Become the parent of every descendant whose own parent ends. Source: PR_SET_CHILD_SUBREAPER(2const)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def dying_with(parent: int) -> Callable[[], None]:
    """Return what a child of this parent calls to be killed by the kernel when that ends, however that happens.

    Only whose parent already is the one that stays may call it. Source: PR_SET_PDEATHSIG(2const).
    """
    libc = ctypes.CDLL(None)

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it ended before the kernel knew
            os._exit(1)

    return arrange


def bury_orphans(known: Container[int]) -> None:
    """Take note of ended children, so that they do not stay as zombies; those that are known are left to who waits."""
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if ended.si_pid in known:
                return  # it hides the rest until it is waited for, which is soon
            os.waitpid(ended.si_pid, 0)


def status_of_child(pid: int) -> int | None:
    """Return the status of an ended child, negative for a signal; None where it is nobody's of ours."""
    try:
        return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    except ChildProcessError:
        return None
