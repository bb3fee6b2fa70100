"""Brings an export into a folder, without touching what is somebody else's."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from killreport.errors import Conflict, Refused
from killreport.fleet.export.bundle import MARK, Bundle

Change = Literal["written", "unchanged", "removed"]


@dataclass(frozen=True)
class FileChange:
    """What became of one file; path: below the folder."""

    path: str
    change: Change


def write_bundle(bundle: Bundle, folder: Path, *, force: bool = False) -> list[FileChange]:
    """Make the folder hold exactly this export and return what became of each file; a second time changes nothing.

    Files of an earlier export of the same target that are no longer part of it are removed. Raises Conflict, with
    nothing changed, where the folder has a file that no export wrote; force: such files stay, and those in the way are
    replaced. Raises Refused where the folder is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise Refused(f"{folder} is a file; an export needs a folder.")
    stale = []
    for path in _files_below(folder):
        name = path.relative_to(folder).as_posix()
        if name in bundle.kept:
            continue
        first = _first_line(path)
        if f"{MARK} {bundle.target}`" in first:
            stale += [name] if name not in bundle.files else []
        elif not force:
            raise Conflict(
                f"{folder} has {name}, which is not from an export to {bundle.target}; "
                "name another folder, or --force to write beside it and over what is in the way."
            )
    changes = [FileChange(name, _write(folder / name, text)) for name, text in bundle.files.items()]
    for name in stale:
        (folder / name).unlink()
    return sorted([*changes, *(FileChange(name, "removed") for name in stale)], key=lambda change: change.path)


def _files_below(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_symlink() or not path.is_dir())


def _first_line(path: Path) -> str:
    if path.is_symlink() or not path.is_file():
        return ""
    with path.open(encoding="utf-8", errors="replace") as file:
        return file.readline(500)


def _write(path: Path, text: str) -> Change:
    if path.is_file() and path.read_bytes() == text.encode():
        return "unchanged"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return "written"
