"""The simulator's own routes: faults, publishing by hand, pausing, and what went on. Answered on this machine only."""

from __future__ import annotations

from aiohttp import web

from killreport.decoding import decode_json
from killreport.errors import Malformed
from killreport.sim.access.faults import InjectedFaults
from killreport.sim.access.rules import read_rules
from killreport.sim.answers import error_answer, json_answer
from killreport.sim.simulator import Simulator

_MAX_AT_ONCE = 100_000


class SimControl:
    """The routes below /control."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/control/status", self._status),
            web.get("/control/faults", self._faults),
            web.post("/control/faults", self._change_faults),
            web.delete("/control/faults", self._clear_faults),
            web.get("/control/rules", self._rules),
            web.put("/control/rules", self._set_rules),
            web.delete("/control/rules", self._clear_rules),
            web.get("/control/requests", self._requests),
            web.delete("/control/requests", self._clear_requests),
            web.post("/control/publish", self._publish),
            web.post("/control/pause", self._pause),
            web.post("/control/resume", self._resume),
        ]

    async def _status(self, request: web.Request) -> web.Response:
        del request
        simulator = self._simulator
        journal = simulator.journal
        return json_answer(
            {
                "head": simulator.publisher.head,
                "published": sum(journal.count_of_day(day) for day in journal.days),
                "remaining": simulator.publisher.remaining,
                "paused": simulator.publisher.is_paused,
                "seed": simulator.options.seed,
                "faults": simulator.mischief.faults,
                "requests": simulator.tally.by_route.total(),
                "requests_by_route": dict(sorted(simulator.tally.by_route.items())),
            }
        )

    async def _faults(self, request: web.Request) -> web.Response:
        del request
        return json_answer(self._simulator.mischief.faults)

    async def _change_faults(self, request: web.Request) -> web.Response:
        mischief = self._simulator.mischief
        try:
            mischief.faults = mischief.faults.changed(await request.read())
        except Malformed as error:
            return error_answer(400, str(error))
        return json_answer(mischief.faults)

    async def _clear_faults(self, request: web.Request) -> web.Response:
        del request
        self._simulator.mischief.faults = InjectedFaults()
        return json_answer(self._simulator.mischief.faults)

    async def _rules(self, request: web.Request) -> web.Response:
        del request
        return json_answer(self._simulator.mischief.rules)

    async def _set_rules(self, request: web.Request) -> web.Response:
        try:
            self._simulator.mischief.rules = read_rules(await request.read())
        except Malformed as error:
            return error_answer(400, str(error))
        return json_answer(self._simulator.mischief.rules)

    async def _clear_rules(self, request: web.Request) -> web.Response:
        del request
        self._simulator.mischief.rules = []
        return json_answer([])

    async def _requests(self, request: web.Request) -> web.Response:
        del request
        return json_answer(self._simulator.tally.summary())

    async def _clear_requests(self, request: web.Request) -> web.Response:
        summary = self._simulator.tally.summary()
        del request
        self._simulator.tally.clear()
        return json_answer(summary)

    async def _publish(self, request: web.Request) -> web.Response:
        try:
            wanted = decode_json(await request.read() or b"{}", dict[str, int])
        except Malformed as error:
            return error_answer(400, str(error))
        count = wanted.get("count", 1)
        if not 0 <= count <= _MAX_AT_ONCE:
            return error_answer(400, f"count must be from 0 to {_MAX_AT_ONCE}")
        published = await self._simulator.publisher.publish(count, wanted.get("published_at"))
        return json_answer({"published": published, "head": self._simulator.publisher.head})

    async def _pause(self, request: web.Request) -> web.Response:
        del request
        self._simulator.publisher.is_paused = True
        return json_answer({"paused": True})

    async def _resume(self, request: web.Request) -> web.Response:
        del request
        self._simulator.publisher.is_paused = False
        return json_answer({"paused": False})
