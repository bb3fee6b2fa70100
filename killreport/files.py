"""Files that are there as a whole or as they were before, and folders that are their owner's alone."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

_OTHERS = stat.S_IRWXG | stat.S_IRWXO


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """Replace the file; it is on the disk when this returns. Raises OSError, and then the file is as it was.

    mode: of the file; without another, what may hold a secret is its owner's alone.
    """
    fresh = path.with_name(f"{path.name}.new")
    try:
        fresh.unlink(missing_ok=True)
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)
    except OSError:
        # On a full disk half a file would take what little there is.
        fresh.unlink(missing_ok=True)
        raise


def make_private_folder(path: Path) -> None:
    """Have the folder, for its owner alone; one of ours that others may look into is closed to them.

    `mkdir(parents=True)` gives the mode to the last folder only, so each that is to be private is made by itself.
    """
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.stat()
    if status.st_mode & _OTHERS and status.st_uid == os.geteuid():
        path.chmod(stat.S_IMODE(status.st_mode) & ~_OTHERS)


def try_lock(path: Path, *, mode: int = 0o600) -> int | None:
    """Return a descriptor that holds the file's lock until it is closed, None where somebody else does.

    The file is made where it is missing. The kernel gives the lock back when whoever holds it ends, however that ends.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, mode)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(descriptor)
        if isinstance(error, BlockingIOError):
            return None
        raise
    return descriptor
