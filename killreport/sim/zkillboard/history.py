"""zKillboard's history: the killmails of each day with their hashes, and since 2026-07 whole days of bodies."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import msgspec
from aiohttp import web

from killreport.sim.answers import ErrorAnswer, route
from killreport.sim.simulator import Simulator
from killreport.sim.world.journal import KillRecord

_EPOCH = date(1970, 1, 1)
# Bodies are made anew one by one; so many at a time keep the other requests alive.
_SLICE = 16


class HistoryRoutes:
    """The routes below /history, and the old path that leads to them."""

    def __init__(self, simulator: Simulator) -> None:
        self._simulator = simulator

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            route("GET", "/history/totals.json", self._totals),
            route("GET", r"/history/{day:\d{8}}.json", self._hashes),
            route("GET", r"/history/raw/{day:\d{8}}.json", self._bodies),
            route("GET", r"/api/history/{name:(?:\d{8}|totals)\.json}", self._moved),
        ]

    def _totals(self, _request: web.Request) -> dict[str, int]:
        journal = self._simulator.journal
        return {_name(day): journal.count_of_day(day) for day in journal.days}

    def _hashes(self, request: web.Request) -> dict[str, str]:
        return {str(r.killmail_id): r.hash.hex() for r in self._records(request)}

    async def _bodies(self, request: web.Request) -> web.StreamResponse:
        records = self._records(request)
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(b"{")
        opened = False
        parts: list[bytes] = []
        for record in records:
            mail = self._simulator.packages.mail(record)
            if mail is None:
                continue
            parts.append((b"," if opened else b"") + msgspec.json.encode(str(record.killmail_id)) + b":" + mail)
            opened = True
            if len(parts) == _SLICE:
                await answer.write(b"".join(parts))
                await asyncio.sleep(0)
                parts.clear()
        await answer.write(b"".join(parts) + b"}")
        await answer.write_eof()
        return answer

    def _records(self, request: web.Request) -> list[KillRecord]:
        """Return the mails of the day asked for. Raises ErrorAnswer where there are none."""
        try:
            asked = datetime.strptime(request.match_info["day"], "%Y%m%d").replace(tzinfo=UTC).date()
        except ValueError:
            raise ErrorAnswer(404, "Not found") from None
        records = list(self._simulator.journal.of_day((asked - _EPOCH).days))
        if not records:
            raise ErrorAnswer(404, "Not found")
        return records

    def _moved(self, request: web.Request) -> None:
        raise web.HTTPFound(f"/history/{request.match_info['name']}")


def _name(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")
