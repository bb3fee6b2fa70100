"""What makes a supervisor the only one of its folder: the lock of a file that is to stay in its place."""

from __future__ import annotations

import os

from killreport.errors import Conflict
from killreport.files import try_lock
from killreport.supervisor.folder import FleetFolder
from killreport.supervisor.process.identity import identity_of, identity_of_open


class FleetLock:
    """Held from its making until it is closed. Raises Conflict where another supervisor has it."""

    def __init__(self, folder: FleetFolder) -> None:
        self._folder = folder
        self._descriptor = self._take()

    @property
    def is_in_place(self) -> bool:
        """Tell whether the next supervisor would meet this lock: whoever deletes the file hides it."""
        return identity_of(self._folder.lock) == identity_of_open(self._descriptor)

    def put_back(self) -> None:
        """Hold the file that is there now. Raises Conflict where another supervisor was quicker."""
        taken = self._take()
        os.close(self._descriptor)
        self._descriptor = taken

    def close(self) -> None:
        """Let it go."""
        os.close(self._descriptor)

    def _take(self) -> int:
        descriptor = try_lock(self._folder.lock)
        if descriptor is None:
            raise Conflict(f"A supervisor runs in {self._folder.path} already.")
        return descriptor
