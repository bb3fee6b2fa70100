"""The simulator's own routes: faults, publishing, changes of the world, what went on. Answered on this machine only."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from aiohttp import web

from killreport.decoding import decode_json
from killreport.sim.access.faults import InjectedFaults
from killreport.sim.access.rules import Rule, read_rules
from killreport.sim.access.tokens import LIFE_SECONDS, Token, TokenMint
from killreport.sim.answers import ErrorAnswer, resolved, route
from killreport.sim.esi.recent import KILLMAIL_SCOPE
from killreport.sim.simulator import Simulator
from killreport.sim.world.changes import Changes

_MAX_AT_ONCE = 100_000


class _Login(msgspec.Struct, forbid_unknown_fields=True):
    character_id: int
    scopes: tuple[str, ...] = (KILLMAIL_SCOPE,)
    seconds: int = LIFE_SECONDS


class _Build(msgspec.Struct, forbid_unknown_fields=True):
    build_number: int


def control_routes(simulator: Simulator) -> list[web.RouteDef]:
    """Return the routes; each of the functions below takes the simulator and the request's body."""

    def bound(answer: Callable[[Simulator, bytes], Any]) -> Callable[[web.Request], Any]:
        async def handle(request: web.Request) -> Any:
            return await resolved(answer(simulator, await request.read()))

        return handle

    return [route(method, f"/control/{path}", bound(answer)) for method, path, answer in _ROUTES]


def _status(simulator: Simulator, _body: bytes) -> dict[str, Any]:
    journal, publisher, by_route = simulator.journal, simulator.publisher, simulator.tally.by_route
    return {
        "head": publisher.head,
        "published": sum(journal.count_of_day(day) for day in journal.days),
        "remaining": publisher.remaining,
        "paused": publisher.is_paused,
        "seed": simulator.options.seed,
        "faults": simulator.mischief.faults,
        "requests": by_route.total(),
        "requests_by_route": dict(sorted(by_route.items())),
    }


def _have_faults(simulator: Simulator, faults: InjectedFaults) -> InjectedFaults:
    simulator.mischief.faults = faults
    return faults


def _have_rules(simulator: Simulator, rules: list[Rule]) -> list[Rule]:
    simulator.mischief.rules = rules
    return rules


def _have_changes(simulator: Simulator, changes: Changes) -> Changes:
    simulator.world.change(changes)
    return changes


def _have_paused(simulator: Simulator, is_paused: bool) -> dict[str, bool]:
    simulator.publisher.is_paused = is_paused
    return {"paused": is_paused}


def _clear_requests(simulator: Simulator, _body: bytes) -> dict[str, Any]:
    summary = simulator.tally.summary()
    simulator.tally.clear()
    return summary


async def _publish(simulator: Simulator, body: bytes) -> dict[str, int]:
    wanted = decode_json(body or b"{}", dict[str, int])
    count = wanted.get("count", 1)
    if not 0 <= count <= _MAX_AT_ONCE:
        raise ErrorAnswer(400, f"count must be from 0 to {_MAX_AT_ONCE}")
    published = await simulator.publisher.publish(count, wanted.get("published_at"))
    return {"published": published, "head": simulator.publisher.head}


def _token(simulator: Simulator, body: bytes) -> dict[str, Any]:
    login = decode_json(body, _Login)
    token = Token(login.character_id, login.scopes, int(simulator.now()) + login.seconds)
    text = TokenMint(simulator.options.seed).issue(token)
    return {"access_token": text, "expires_in": login.seconds, "token_type": "Bearer"}


def _release(simulator: Simulator, body: bytes) -> _Build:
    build = decode_json(body, _Build)
    simulator.build_number = build.build_number
    return build


_ROUTES: tuple[tuple[str, str, Callable[[Simulator, bytes], Any]], ...] = (
    ("GET", "status", _status),
    ("GET", "faults", lambda simulator, _body: simulator.mischief.faults),
    ("POST", "faults", lambda simulator, body: _have_faults(simulator, simulator.mischief.faults.changed(body))),
    ("DELETE", "faults", lambda simulator, _body: _have_faults(simulator, InjectedFaults())),
    ("GET", "rules", lambda simulator, _body: simulator.mischief.rules),
    ("PUT", "rules", lambda simulator, body: _have_rules(simulator, read_rules(body))),
    ("DELETE", "rules", lambda simulator, _body: _have_rules(simulator, [])),
    ("GET", "requests", lambda simulator, _body: simulator.tally.summary()),
    ("DELETE", "requests", _clear_requests),
    ("POST", "publish", _publish),
    ("POST", "pause", lambda simulator, _body: _have_paused(simulator, True)),
    ("POST", "resume", lambda simulator, _body: _have_paused(simulator, False)),
    ("GET", "world", lambda simulator, _body: simulator.world.changes),
    ("POST", "world", lambda simulator, body: _have_changes(simulator, simulator.world.changes.added(body))),
    ("DELETE", "world", lambda simulator, _body: _have_changes(simulator, Changes())),
    ("POST", "token", _token),
    ("POST", "static-data", _release),
)
