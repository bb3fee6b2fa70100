"""Which processes are to run: written before anything is done about it, so that a crash in between is made good."""

from __future__ import annotations

import os
from pathlib import Path

import msgspec


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of one process. instances: how many of it, for those there may be several of."""

    is_started: bool
    instances: int = 1


def read_wanted(path: Path) -> dict[str, Wanted]:
    """Return what is wanted by name; nothing where the file is missing or no such file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, Wanted])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def write_wanted(path: Path, wanted: dict[str, Wanted]) -> None:
    """Replace the file as a whole; it is on the disk when this returns."""
    fresh = path.with_suffix(".new")
    with fresh.open("wb") as file:
        file.write(msgspec.json.encode(wanted))
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
