"""File descriptors: as many as this user may have, within reason."""

from __future__ import annotations

import resource

# More would only be memory for the kernel's tables; 4,000 connections need few of these.
MAX_DESCRIPTORS = 65_536
# For the database, the queues, files and pipes of this process.
RESERVED = 128


def raise_limit(most: int = MAX_DESCRIPTORS) -> int:
    """Raise this process's soft limit to its hard one, `most` at most; returns what it is then.

    The usual soft limit of 1,024 is for programs that call select(2), which no service of ours does.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(hard, most)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return most if soft == resource.RLIM_INFINITY else soft
