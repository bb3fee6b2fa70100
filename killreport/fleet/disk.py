"""How much room the disk of the home has left: said before it is full, not when nothing can be written any more."""

from __future__ import annotations

import os
from pathlib import Path


def free_megabytes(folder: Path) -> int | None:
    """Return what this user may still write to the folder's file system; None where nobody can tell."""
    try:
        found = os.statvfs(folder)
    except OSError:
        return None
    return found.f_bavail * found.f_frsize >> 20


def disk_warning(folder: Path, least_mb: int) -> str | None:
    """Return a sentence where there is less room than this many MB, None where there is enough. least_mb: 0: never."""
    free = free_megabytes(folder)
    if free is None or free >= least_mb:
        return None
    return f"The disk of {folder} is nearly full: {free} MB are free, less than the {least_mb} MB that should be."
