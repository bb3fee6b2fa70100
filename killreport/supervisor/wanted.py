"""Which processes are to run: written before anything is done about it, so that a crash in between is made good."""

from __future__ import annotations

from pathlib import Path

import msgspec

from killreport.files import write_whole


class WantedState(msgspec.Struct, frozen=True, kw_only=True):
    """What is wanted of one process. instances: how many copies somebody scaled it to, where the row had so many.

    What is scaled holds until the row says another number: the last word counts.
    """

    is_started: bool
    instances: int = 1
    row_instances: int = 1

    def count(self, row_instances: int) -> int:
        """Return how many copies are wanted of a process whose row has so many now."""
        return self.instances if self.row_instances == row_instances else row_instances


def read_wanted(path: Path) -> dict[str, WantedState]:
    """Return what is wanted by name; nothing where the file is missing or no such file."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=dict[str, WantedState])
    except (FileNotFoundError, msgspec.MsgspecError):
        return {}


def wanted_bytes(wanted: dict[str, WantedState]) -> bytes:
    """Return what the file holds of this."""
    return msgspec.json.encode(wanted)


def write_wanted(path: Path, wanted: dict[str, WantedState]) -> None:
    """Replace the file as a whole; it is on the disk when this returns. Raises OSError, with the file as it was."""
    write_whole(path, wanted_bytes(wanted))
