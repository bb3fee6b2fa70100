"""The routes of all parts as one application, and what comes before them: who may ask, limits, faults."""

from __future__ import annotations

import asyncio
import ipaddress

import structlog
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from killreport.sim.access.hosts import host_of
from killreport.sim.access.limits import FeedLimit, PauseLimit
from killreport.sim.access.rules import Fate
from killreport.sim.answers import error_answer
from killreport.sim.archives.ccp import Ccp
from killreport.sim.archives.everef import EveRef
from killreport.sim.control.routes import control_routes
from killreport.sim.esi.answering import FAILURE, Esi
from killreport.sim.esi.entities import Entities
from killreport.sim.esi.kills import Kills
from killreport.sim.esi.market import Market
from killreport.sim.esi.recent import RecentKillmails
from killreport.sim.esi.universe import UniverseRoutes
from killreport.sim.publishing.kill_index import KillIndex
from killreport.sim.simulator import Simulator
from killreport.sim.zkillboard.feed import R2z2Routes
from killreport.sim.zkillboard.history import HistoryRoutes
from killreport.sim.zkillboard.lists import ZkbApi
from killreport.sim.zkillboard.redisq import RedisQ

log = structlog.get_logger()

_BANNED = "You have been banned for an hour for going above the rate limit"


def create_app(simulator: Simulator) -> web.Application:
    """Return the application for an open simulator; it publishes nothing by itself."""
    gate = _Gate(simulator)
    app = web.Application(middlewares=[gate.middleware], client_max_size=4 * 2**20)
    index = KillIndex(simulator.journal, simulator.packages, simulator.universe)
    answering = (
        Entities(simulator),
        UniverseRoutes(simulator),
        Market(simulator),
        Kills(simulator, index),
        RecentKillmails(simulator, index),
    )
    # The history's old paths lie below /api and must be found before its lists.
    parts = (
        R2z2Routes(simulator),
        HistoryRoutes(simulator),
        RedisQ(simulator),
        ZkbApi(simulator, index),
        EveRef(simulator),
        Ccp(simulator),
        Esi(simulator, [route for part in answering for route in part.routes()]),
    )
    app.add_routes(control_routes(simulator))
    for part in parts:
        app.add_routes(part.routes())
    return app


class _Gate:
    """Everything a request passes before its route answers, and what may happen to the answer."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._limits: dict[str, FeedLimit | PauseLimit] = {
            "r2z2": FeedLimit(simulator.now),
            "zkillboard": PauseLimit(simulator.now),
        }

    @property
    def middleware(self) -> Middleware:
        @web.middleware
        async def pass_gate(request: web.Request, handler: Handler) -> web.StreamResponse:
            try:
                if not request.path.startswith("/control/"):
                    return await self._pass(request, handler)
                if not _is_this_machine(request):
                    return error_answer(403, "The control is for this machine only")
                return await handler(request)
            except web.HTTPException:
                raise
            except Exception as error:
                # aiohttp would tell the client nothing, and a logger that nobody reads.
                log.exception("request_failed", method=request.method, path=request.path)
                return error_answer(500, f"The simulator failed: {type(error).__name__}: {error}")

        return pass_gate

    async def _pass(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        route = request.match_info.route.resource
        tally, mischief = self._simulator.tally, self._simulator.mischief
        tally.note_request(request.method, request.path, route.canonical if route else "(unknown)")
        fate = mischief.fate(request.path)
        if fate.wait_seconds:
            await asyncio.sleep(fate.wait_seconds)
        answer = await self._decide(request, handler, fate)
        tally.note_answer(request.path, answer.status)
        if answer.status == 200 and isinstance(answer, web.Response):
            if fate.body is not None:
                answer.body = fate.body
            if fate.is_cut:
                return await _cut_in_half(request, answer)
        return answer

    async def _decide(self, request: web.Request, handler: Handler, fate: Fate) -> web.StreamResponse:
        if fate.status is not None:
            failure = _failure(fate.status, fate.retry_after)
            if request.match_info.http_exception is not None or host_of(request.path) != "esi":
                return failure
            # ESI's own limits count what failed for no fault of the client, too.
            request[FAILURE] = failure
        refusal = self._refusal(request)
        return await _answer(request, handler) if refusal is None else refusal

    def _refusal(self, request: web.Request) -> web.Response | None:
        if not any(request.headers.get(name, "").strip() for name in ("User-Agent", "X-User-Agent")):
            return error_answer(403, "A User-Agent that says who you are is required")
        limit = self._limits.get(host_of(request.path)) if self._simulator.options.has_limits else None
        if limit is not None:
            verdict = limit.ask(request.remote or "")
            if not verdict.is_allowed:
                message = _BANNED if verdict.status == 403 else "Too many requests"
                return error_answer(verdict.status, message, {"Retry-After": str(verdict.retry_after)})
        return None


def _failure(status: int, retry_after: int | None) -> web.Response:
    seconds = 1 if retry_after is None and status in {420, 429, 503} else retry_after
    headers = None if seconds is None else {"Retry-After": str(seconds)}
    return error_answer(status, "Injected by the simulator", headers)


async def _answer(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Return the route's answer; a path or method that no route has is told in JSON, like every other error."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        return error_answer(error.status, error.reason)


def _is_this_machine(request: web.Request) -> bool:
    try:
        return ipaddress.ip_address(request.remote or "").is_loopback
    except ValueError:
        return False


async def _cut_in_half(request: web.Request, answer: web.Response) -> web.StreamResponse:
    body = answer.body if isinstance(answer.body, bytes) else b""
    cut = web.StreamResponse(status=answer.status, headers={"Content-Type": "application/json"})
    cut.content_length = len(body)
    await cut.prepare(request)
    await cut.write(body[: len(body) // 2])
    if request.transport is not None:
        request.transport.close()
    return cut
