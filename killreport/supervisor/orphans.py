"""Orphans of the fleet: the kernel gives them to the supervisor, which must learn of their end."""

from __future__ import annotations

import contextlib
import ctypes
import os
from collections.abc import Container

_PR_SET_CHILD_SUBREAPER = 36


def take_orphans() -> None:
    """Become the parent of every descendant whose own parent ends. Source: PR_SET_CHILD_SUBREAPER(2const)."""
    ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


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
