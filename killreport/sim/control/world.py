"""Changes by hand of the world: people, tokens of the simulated SSO, a new build of the static data."""

from __future__ import annotations

import msgspec
from aiohttp import web

from killreport.decoding import decode_json
from killreport.errors import Malformed
from killreport.sim.access.tokens import LIFE_SECONDS, Token, TokenMint
from killreport.sim.answers import error_answer, json_answer
from killreport.sim.esi.recent import KILLMAIL_SCOPE
from killreport.sim.simulator import Simulator
from killreport.sim.world.changes import Changes


class _Login(msgspec.Struct, forbid_unknown_fields=True):
    character_id: int
    scopes: tuple[str, ...] = (KILLMAIL_SCOPE,)
    seconds: int = LIFE_SECONDS


class _Build(msgspec.Struct, forbid_unknown_fields=True):
    build_number: int


class WorldControl:
    """The routes /control/world, /control/token and /control/static-data."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator
        self._mint = TokenMint(simulator.options.seed)

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/control/world", self._changes),
            web.post("/control/world", self._change),
            web.delete("/control/world", self._undo),
            web.post("/control/token", self._token),
            web.post("/control/static-data", self._release),
        ]

    async def _changes(self, request: web.Request) -> web.Response:
        del request
        return json_answer(self._simulator.world.changes)

    async def _change(self, request: web.Request) -> web.Response:
        world = self._simulator.world
        try:
            world.change(world.changes.added(await request.read()))
        except Malformed as error:
            return error_answer(400, str(error))
        return json_answer(world.changes)

    async def _undo(self, request: web.Request) -> web.Response:
        del request
        self._simulator.world.change(Changes())
        return json_answer(self._simulator.world.changes)

    async def _token(self, request: web.Request) -> web.Response:
        try:
            login = decode_json(await request.read(), _Login)
        except Malformed as error:
            return error_answer(400, str(error))
        expires_at = int(self._simulator.now()) + login.seconds
        token = self._mint.issue(Token(login.character_id, login.scopes, expires_at))
        return json_answer({"access_token": token, "expires_in": login.seconds, "token_type": "Bearer"})

    async def _release(self, request: web.Request) -> web.Response:
        try:
            build = decode_json(await request.read(), _Build)
        except Malformed as error:
            return error_answer(400, str(error))
        self._simulator.build_number = build.build_number
        return json_answer(build)
