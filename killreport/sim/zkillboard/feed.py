"""R2Z2's live feed: a sequence number that lags, and one package a number.

Source of the protocol: zKillboard's publisher `cron/9.queueSequences.php` and its consumers.
"""

from __future__ import annotations

from aiohttp import web

from killreport.sim.answers import ErrorAnswer, route
from killreport.sim.simulator import Simulator
from killreport.sim.world.journal import FIRST_SEQUENCE, LATE, KillRecord

# `sequence.json` is written anew about this often, so it lags behind what can be read.
_REWRITTEN_EVERY = 51
_LIFE_SECONDS = 86_400
_PACKAGE_HEADERS = {"Cache-Control": "public, max-age=86400"}


class R2z2Routes:
    """The routes below /ephemeral."""

    def __init__(self, simulator: Simulator) -> None:
        """`sequence.json` is written at the start."""
        self._simulator = simulator
        self._written = simulator.publisher.head

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            route("GET", "/ephemeral/sequence.json", self._sequence),
            route("GET", r"/ephemeral/{sequence:\d{1,15}}.json", self._package, _PACKAGE_HEADERS),
        ]

    def _sequence(self, _request: web.Request) -> dict[str, int]:
        head = self._simulator.publisher.head
        if head - self._written >= _REWRITTEN_EVERY:
            self._written = head - (head - self._written) % _REWRITTEN_EVERY
        stale = self._simulator.mischief.faults.stale_sequence
        return {"sequence": max(FIRST_SEQUENCE, self._written - stale)}

    def _package(self, request: web.Request) -> bytes:
        record = self._simulator.journal.get(int(request.match_info["sequence"]))
        package = None if record is None or self._is_hidden(record) else self._simulator.packages.package(record)
        if package is None:
            raise ErrorAnswer(404, "Not found", {"Cache-Control": "no-store"})
        return package

    def _is_hidden(self, record: KillRecord) -> bool:
        mischief = self._simulator.mischief
        age = self._simulator.now() - record.published_at
        if age >= _LIFE_SECONDS or mischief.hides_package():
            return True
        return bool(record.flags & LATE) and age < mischief.faults.gap_seconds
