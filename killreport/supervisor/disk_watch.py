"""Looks after the disk: a warning in the supervisor's log before it is full, and a word when there is room again."""

from __future__ import annotations

import asyncio
from pathlib import Path

import structlog

from killreport.fleet.disk import disk_warning, free_megabytes

LOOK_SECONDS = 10.0

log = structlog.get_logger()


class DiskWatch:
    """Looks after the file system of one folder. least_mb: below so much free room it warns; 0: never."""

    def __init__(self, folder: Path, least_mb: int) -> None:
        self._folder = folder
        self._least_mb = least_mb
        self._is_low = False

    async def watch(self) -> None:
        """Look for ever."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_SECONDS)

    def look(self) -> None:
        """Log a line where the disk has become nearly full, or is no more."""
        was_low, self._is_low = self._is_low, disk_warning(self._folder, self._least_mb) is not None
        if self._is_low != was_low:
            say = log.warning if self._is_low else log.info
            event = "disk_nearly_full" if self._is_low else "disk_has_room"
            say(event, folder=str(self._folder), free_mb=free_megabytes(self._folder), least_mb=self._least_mb)
