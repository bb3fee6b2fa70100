"""zKillboard's API for lists of killmails: modifiers in the path, full bodies with their `zkb` block.

Source: zKillboard's `view/api.php` and its wiki page "API (Killmails)", behaviour of late 2026.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import msgspec
from aiohttp import web

from killreport.sim.answers import ErrorAnswer, route
from killreport.sim.publishing.kill_index import Key, KillIndex
from killreport.sim.simulator import Simulator
from killreport.sim.world.journal import KillRecord

_PAGE_SIZE = 200
_MAX_PAGES = 100
# Whoever wants them sooner is to follow R2Z2.
_WITHHELD_SECONDS = 300
_WEEK_SECONDS = 7 * 86_400
_ENTITIES = {
    "characterID": "character",
    "corporationID": "corporation",
    "allianceID": "alliance",
    "shipTypeID": "type",
    "shipID": "type",
}
_PLACES = {"solarSystemID": "system", "systemID": "system", "regionID": "region", "warID": "war"}
_FLAGS = frozenset({"kills", "losses", "solo", "zkbOnly"})
_NUMBERS = frozenset({"killID", "page", "pastSeconds", "npc", "awox"})
_HEADERS = {"Cache-Control": "public, max-age=3600"}


@dataclass
class _Query:
    flags: set[str] = field(default_factory=set)
    numbers: dict[str, int] = field(default_factory=dict)
    entities: list[Key] = field(default_factory=list)
    places: list[Key] = field(default_factory=list)

    @property
    def sides(self) -> tuple[str, ...]:
        if "kills" in self.flags and "losses" not in self.flags:
            return ("kill",)
        return ("loss",) if "losses" in self.flags and "kills" not in self.flags else ("kill", "loss")


class ZkbApi:
    """The routes below /api."""

    def __init__(self, simulator: Simulator, index: KillIndex) -> None:
        self._simulator = simulator
        self._index = index

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [route("GET", "/api/{path:.*}", self._list, _HEADERS)]

    async def _list(self, request: web.Request) -> list[dict[str, object]]:
        path = request.match_info["path"]
        if request.query_string:
            raise ErrorAnswer(403, "Query strings are not allowed")
        if not path.endswith("/"):
            raise web.HTTPFound(f"/api/{path}/")
        query = _parse(path)
        return await self._page(query, await self._find(query))

    async def _find(self, query: _Query) -> list[int]:
        """Return the numbers of all mails that match every key, newest first."""
        if "killID" in query.numbers:
            record = self._simulator.packages.find(query.numbers["killID"])
            return [] if record is None else [record.sequence]
        matching: set[int] | None = None
        for name, entity_id in query.entities:
            found: set[int] = set()
            for side in query.sides:
                found.update(await self._index.find((f"{side}:{name}", entity_id)))
            matching = found if matching is None else matching & found
        for place in query.places:
            found = set(await self._index.find(place))
            matching = found if matching is None else matching & found
        if matching is None:
            return await self._index.find(("all", 0))
        return sorted(matching, reverse=True)

    async def _page(self, query: _Query, sequences: list[int]) -> list[dict[str, object]]:
        skip = (query.numbers.get("page", 1) - 1) * _PAGE_SIZE
        since = self._simulator.now() - query.numbers["pastSeconds"] if "pastSeconds" in query.numbers else None
        newest = self._simulator.now() - (_WITHHELD_SECONDS if self._simulator.options.has_limits else 0)
        bodies: list[dict[str, object]] = []
        for place, sequence in enumerate(sequences):
            record = self._simulator.journal.get(sequence)
            if record is None or (since is not None and record.killmail_time < since) or record.killmail_time > newest:
                continue
            body = self._body(record, query)
            if body is None:
                continue
            if skip:
                skip -= 1
                continue
            bodies.append(body)
            if len(bodies) == _PAGE_SIZE:
                break
            if place % 16 == 0:
                await asyncio.sleep(0)
        return bodies

    def _body(self, record: KillRecord, query: _Query) -> dict[str, object] | None:
        mail = self._simulator.packages.mail(record)
        if mail is None:
            return None
        zkb = self._simulator.packages.zkb(record, mail)
        wanted = {name: bool(value) for name, value in query.numbers.items() if name in {"npc", "awox"}}
        if "solo" in query.flags:
            wanted["solo"] = True
        if any(zkb[name] != value for name, value in wanted.items()):
            return None
        # The list carries neither of these; R2Z2 does.
        block = {key: value for key, value in zkb.items() if key not in {"attackerCount", "href"}}
        if "zkbOnly" in query.flags or not self._simulator.options.has_full_lists:
            return {"killmail_id": record.killmail_id, "zkb": block}
        return {**msgspec.json.decode(mail), "zkb": block}


def _refusal(message: str) -> ErrorAnswer:
    """Return what the API says to a path that asks for something it does not do: no error to HTTP."""
    return ErrorAnswer(200, message)


def _parse(path: str) -> _Query:
    """Return what the path asks for. Raises ErrorAnswer."""
    query = _Query()
    parts = iter(path.removesuffix("/").split("/") if path != "/" else [])
    for name in parts:
        if name in _FLAGS:
            query.flags.add(name)
        elif name in _ENTITIES:
            query.entities.append((_ENTITIES[name], _number(name, next(parts, ""))))
        elif name in _PLACES:
            query.places.append((_PLACES[name], _number(name, next(parts, ""))))
        elif name in _NUMBERS:
            query.numbers[name] = _number(name, next(parts, ""))
        else:
            raise _refusal(f"{name or 'An empty part'} is not a valid modifier")
    _check(query)
    return query


def _check(query: _Query) -> None:
    if not 1 <= query.numbers.get("page", 1) <= _MAX_PAGES:
        raise _refusal(f"page must be from 1 to {_MAX_PAGES}")
    seconds = query.numbers.get("pastSeconds", 3600)
    if seconds > _WEEK_SECONDS or seconds % 3600:
        raise _refusal("pastSeconds must be a multiple of 3600 and no more than 7 days")
    if not (query.entities or query.places or "killID" in query.numbers or query.flags & {"kills", "losses", "solo"}):
        raise _refusal("Please provide at least one modifier")


def _number(name: str, value: str) -> int:
    if not value.isascii() or not value.isdigit() or (value.startswith("0") and value != "0") or len(value) > 18:
        raise _refusal(f"{name} needs a number without leading zeros")
    return int(value)
