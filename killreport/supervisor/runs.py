"""What is remembered of a job's runs: when each began and ended, how, and its last line."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from killreport.supervisor.state_files import StateFiles

KEPT_RUNS = 200


class JobRecord(msgspec.Struct, frozen=True, kw_only=True):
    """One run. status: of its process, negative for a signal; None where it ended while no supervisor looked.

    cause: `schedule`, `trigger` or `catch-up`. is_broken_off: whether it was ended before its work was done, so that it
    is due again; one without an end is that too, unless it goes on.
    """

    started_at: datetime
    ended_at: datetime | None
    status: int | None
    cause: str
    last_line: str
    is_broken_off: bool = False


class JobHistory:
    """The runs of one job in a file, the newest last."""

    def __init__(self, path: Path, files: StateFiles | None = None) -> None:
        self._path = path
        self._files = files or StateFiles()

    def read(self) -> list[JobRecord]:
        """Return the runs, the oldest first; a line that a crash cut short is left out."""
        try:
            lines = self._files.read(self._path).splitlines()
        except OSError:
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
        self._keep([other for other in self.read() if other.started_at != record.started_at] + [record])

    def correct(self, now: datetime) -> None:
        """Have no run in the future: what a clock wrote that was ahead counts as now, once and for all."""
        records = self.read()
        if any(record.started_at > now for record in records):
            self._keep([_not_after(record, now) for record in records])

    def _keep(self, records: list[JobRecord]) -> None:
        self._files.write(self._path, b"".join(msgspec.json.encode(record) + b"\n" for record in records[-KEPT_RUNS:]))


def _not_after(record: JobRecord, now: datetime) -> JobRecord:
    ended_at = None if record.ended_at is None else min(record.ended_at, now)
    return msgspec.structs.replace(record, started_at=min(record.started_at, now), ended_at=ended_at)
