"""The pumps of a whole fleet: two for each process, for what it says and for its errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.pump import Pump, Scratch
from killreport.supervisor.stamped_log import StampedLog
from killreport.supervisor.witness import Witness

STREAMS = ("out", "error")


class Pumps:
    """Moves what the processes of these names write to their logs. witness: told of it."""

    def __init__(self, names: Iterable[str], folder: FleetFolder, witness: Witness | None) -> None:
        self._folder = folder
        self._witness = witness
        self._scratch = Scratch()
        _rename_old_logs(folder)
        self._open = {name: [self._pump(name, stream) for stream in STREAMS] for name in names}

    def drain(self, name: str) -> None:
        """Have everything in the log, and told to the witness, that a process wrote until now."""
        for pump in self._open[name]:
            pump.drain()

    def close(self) -> None:
        """Move what is there, and stop; what comes later waits in the pipes."""
        for name, pumps in self._open.items():
            self.drain(name)
            for pump in pumps:
                pump.close()
        self._scratch.close()

    def _pump(self, name: str, stream: str) -> Pump:
        def on_lines(lines: bytes) -> None:
            if self._witness is not None:
                self._witness.on_lines(name, stream, lines)

        log = StampedLog(self._folder.log(name, stream))
        return Pump(self._folder.pipes / f"{name}.{stream}", log, self._scratch, on_lines)


def _rename_old_logs(folder: FleetFolder) -> None:
    """Go on in the logs of a release that had the product's name before those of the services."""
    for old in folder.logs.glob("killreport-*.log*"):
        new = old.with_name(old.name.removeprefix("killreport-"))
        with contextlib.suppress(OSError):
            if not new.exists():
                old.rename(new)
