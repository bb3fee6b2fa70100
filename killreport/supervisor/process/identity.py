"""Which file a path leads to: its device and inode. Two ways of writing a path are one file, a new file is another."""

from __future__ import annotations

import os
from pathlib import Path

Identity = tuple[int, int]


def identity_of(path: Path) -> Identity | None:
    """Return what tells the file at this path from every other; None where there is none."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino


def identity_of_open(descriptor: int) -> Identity:
    """Return what tells this open file from every other, deleted or not."""
    status = os.fstat(descriptor)
    return status.st_dev, status.st_ino
