"""The pumps of a whole fleet: two for each process, for what it says and for its errors."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable

from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.logs.pump import Pump, Scratch
from killreport.supervisor.logs.stamped_log import StampedLog
from killreport.supervisor.observer import Observer

STREAMS = ("out", "error")


class Pumps:
    """Moves what the processes of these names write to their logs. observer: told of it."""

    def __init__(self, names: Iterable[str], folder: FleetFolder, observer: Observer | None) -> None:
        self._folder = folder
        self._observer = observer
        self._scratch = Scratch()
        _rename_old_logs(folder)
        self._open = {name: [self._pump(name, stream) for stream in STREAMS] for name in names}
        # Whose pipe somebody deleted: what runs writes there until it is replaced.
        self._replaced: dict[tuple[str, str], Pump] = {}

    @property
    def is_in_place(self) -> bool:
        """Tell whether processes that start now find their pipes."""
        return all(pump.is_in_place for pumps in self._open.values() for pump in pumps)

    def put_back(self) -> None:
        """Make the pipes anew that were deleted. Raises OSError."""
        for name, pumps in self._open.items():
            for place, stream in enumerate(STREAMS):
                if not pumps[place].is_in_place:
                    replaced, pumps[place] = pumps[place], self._pump(name, stream)
                    if (last := self._replaced.pop((name, stream), None)) is not None:
                        last.close()
                    self._replaced[name, stream] = replaced

    def drain(self, name: str) -> None:
        """Have everything in the log, and told to the observer, that a process wrote until now."""
        for pump in self._of(name):
            pump.drain()

    def close(self) -> None:
        """Move what is there, and stop; what comes later waits in the pipes."""
        for name in self._open:
            self.drain(name)
            for pump in self._of(name):
                pump.close()
        self._scratch.close()

    def _of(self, name: str) -> list[Pump]:
        return [pump for of, pump in self._replaced.items() if of[0] == name] + self._open[name]

    def _pump(self, name: str, stream: str) -> Pump:
        def on_lines(lines: bytes) -> None:
            if self._observer is not None:
                self._observer.on_lines(name, stream, lines)

        log = StampedLog(self._folder.log(name, stream))
        return Pump(self._folder.pipes / f"{name}.{stream}", log, self._scratch, on_lines)


def _rename_old_logs(folder: FleetFolder) -> None:
    """Go on in the logs of a release that had the product's name before those of the services."""
    for old in folder.logs.glob("killreport-*.log*"):
        new = old.with_name(old.name.removeprefix("killreport-"))
        with contextlib.suppress(OSError):
            if not new.exists():
                old.rename(new)
