"""zKillboard's history: the killmails of each day with their hashes, and since 2026-07 whole days of bodies."""

from __future__ import annotations

import asyncio
from datetime import UTC, date, datetime, timedelta

import msgspec
from aiohttp import web

from killreport.sim.answers import error_answer, json_answer
from killreport.sim.simulator import Simulator

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
            web.get("/history/totals.json", self._totals),
            web.get(r"/history/{day:\d{8}}.json", self._hashes),
            web.get(r"/history/raw/{day:\d{8}}.json", self._bodies),
            web.get(r"/api/history/{name:(?:\d{8}|totals)\.json}", self._moved),
        ]

    async def _totals(self, request: web.Request) -> web.Response:
        del request
        journal = self._simulator.journal
        return json_answer({_name(day): journal.count_of_day(day) for day in journal.days})

    async def _hashes(self, request: web.Request) -> web.Response:
        day = _day(request)
        if day is None or not self._simulator.journal.count_of_day(day):
            return error_answer(404, "Not found")
        return json_answer({str(r.killmail_id): r.hash.hex() for r in self._simulator.journal.of_day(day)})

    async def _bodies(self, request: web.Request) -> web.StreamResponse:
        day = _day(request)
        if day is None or not self._simulator.journal.count_of_day(day):
            return error_answer(404, "Not found")
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        await answer.write(b"{")
        opened = False
        parts: list[bytes] = []
        for record in list(self._simulator.journal.of_day(day)):
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

    async def _moved(self, request: web.Request) -> web.Response:
        raise web.HTTPFound(f"/history/{request.match_info['name']}")


def _name(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).strftime("%Y%m%d")


def _day(request: web.Request) -> int | None:
    try:
        asked = datetime.strptime(request.match_info["day"], "%Y%m%d").replace(tzinfo=UTC)
    except ValueError:
        return None
    return (asked.date() - _EPOCH).days
