"""RedisQ as it was at the end of 2025: a queue by name, a redirect to the object, one request at a time.

The package holds the id and the `zkb` block with hash and link only; the older, full one is an option.
Source: zKillboard/RedisQ README.
"""

from __future__ import annotations

import secrets

import msgspec
from aiohttp import web
from cachetools import FIFOCache

from killreport.sim.answers import ErrorAnswer, route
from killreport.sim.simulator import Simulator
from killreport.sim.world.journal import FIRST_SEQUENCE, KillRecord, RecordKind

_FORGOTTEN_AFTER_SECONDS = 3 * 3600
_OBJECTS_KEPT = 2048
_EMPTY = {"package": None}


class _RedisqQueue:
    def __init__(self, next_sequence: int) -> None:
        self.next_sequence = next_sequence
        self.asked_at = 0.0
        self.is_waiting = False


class RedisQ:
    """The routes /listen.php and /object.php."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._queues: dict[str, _RedisqQueue] = {}
        self._objects: FIFOCache[str, int] = FIFOCache(_OBJECTS_KEPT)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [route("GET", "/listen.php", self._listen), route("GET", "/object.php", self._object)]

    async def _listen(self, request: web.Request) -> dict[str, None]:
        name = request.query.get("queueID", "")
        if not name:
            raise ErrorAnswer(400, "queueID is required")
        queue = self._queue(name)
        if queue.is_waiting:
            raise ErrorAnswer(429, "Only one request per queueID at a time", {"Retry-After": "1"})
        queue.is_waiting = True
        try:
            record = await self._next(queue, _seconds_to_wait(request))
        finally:
            queue.is_waiting = False
        if record is None:
            return _EMPTY
        object_id = secrets.token_hex(16)
        self._objects[object_id] = record.sequence
        raise web.HTTPFound(f"/object.php?objectID={object_id}")

    def _queue(self, name: str) -> _RedisqQueue:
        """Return the queue; one that is new, or was not asked for three hours, starts after the newest mail."""
        now = self._simulator.now()
        queue = self._queues.get(name)
        if queue is None or now - queue.asked_at > _FORGOTTEN_AFTER_SECONDS:
            queue = self._queues[name] = _RedisqQueue(self._simulator.publisher.head + 1)
        queue.asked_at = now
        return queue

    async def _next(self, queue: _RedisqQueue, seconds: float) -> KillRecord | None:
        while True:
            record = self._simulator.journal.get(queue.next_sequence)
            if record is None:
                if not await self._simulator.publisher.wait_beyond(
                    max(queue.next_sequence, FIRST_SEQUENCE) - 1, seconds
                ):
                    return None
                continue
            queue.next_sequence += 1
            # A queue has no numbers, so what R2Z2 hides for a while is simply the next mail here.
            if record.kind is not RecordKind.GAP:
                return record

    def _object(self, request: web.Request) -> dict[str, object]:
        sequence = self._objects.get(request.query.get("objectID", ""))
        record = None if sequence is None else self._simulator.journal.get(sequence)
        mail = None if record is None else self._simulator.packages.mail(record)
        if record is None or mail is None:
            raise ErrorAnswer(404, "No such object")
        zkb = self._simulator.packages.zkb(record, mail)
        if self._simulator.options.has_full_redisq:
            package = {"killID": record.killmail_id, "killmail": msgspec.Raw(mail), "zkb": zkb}
        else:
            package = {"killID": record.killmail_id, "zkb": {"hash": zkb["hash"], "href": zkb["href"]}}
        return {"package": package}


def _seconds_to_wait(request: web.Request) -> float:
    try:
        return min(10.0, max(1.0, float(request.query.get("ttw", "10"))))
    except ValueError:
        return 10.0
