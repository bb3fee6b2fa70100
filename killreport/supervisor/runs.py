"""What is remembered of a job's runs: when each began and ended, how, and its last line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

KEPT_RUNS = 200


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run. status: of its process, negative for a signal; None where it ended while no supervisor looked.

    cause: `schedule`, `trigger` or `catch-up`.
    """

    started_at: datetime
    ended_at: datetime | None
    status: int | None
    cause: str
    last_line: str


class JobHistory:
    """The runs of one job in a file, the newest last."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> list[JobRecord]:
        """Return the runs, the oldest first; a line that a crash cut short is left out."""
        try:
            lines = self._path.read_bytes().splitlines()
        except FileNotFoundError:
            return []
        found = []
        for line in lines:
            try:
                found.append(msgspec.json.decode(line, type=JobRecord))
            except msgspec.MsgspecError:
                continue
        return found

    def write(self, record: JobRecord) -> None:
        """Add a run, or replace the one that began at the same moment; the file is replaced as a whole."""
        records = [other for other in self.read() if other.started_at != record.started_at] + [record]
        fresh = self._path.with_suffix(".new")
        fresh.write_bytes(b"".join(msgspec.json.encode(kept) + b"\n" for kept in records[-KEPT_RUNS:]))
        fresh.replace(self._path)
