"""EVE Ref's archive of market history: a compressed table a day, with the figures that ESI's history has.

Source: https://docs.everef.net/datasets/market-history.html
"""

from __future__ import annotations

import asyncio
import bz2
import csv
import io
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from killreport.sim.answers import error_answer, json_answer
from killreport.sim.market import MADE_UP
from killreport.sim.simulator import Simulator

_FIRST_DAY = date(2003, 10, 1)
# The Forge, and another that a reader has to leave aside.
_REGIONS = (10000002, 10000043)
_COLUMNS = (
    *("average", "date", "highest", "lowest", "order_count", "volume"),
    *("http_last_modified", "region_id", "type_id"),
    "source",  # EVE Ref has no such column
)


class EveRef:
    """The routes below /market-history."""

    def __init__(self, simulator: Simulator) -> None:
        self._market = simulator.market
        self._now = simulator.now

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            web.get("/market-history/totals.json", self._totals),
            web.get(r"/market-history/{year:\d{4}}/index.json", self._index),
            web.get(r"/market-history/{year:\d{4}}/market-history-{day:\d{4}-\d\d-\d\d}.csv.bz2", self._day),
        ]

    def _days(self) -> list[date]:
        """Return the days there are: all up to yesterday."""
        return [_FIRST_DAY + timedelta(days=after) for after in range((self._today() - _FIRST_DAY).days)]

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    async def _totals(self, request: web.Request) -> web.Response:
        del request
        rows = len(self._market.traded) * len(_REGIONS)
        return json_answer({day.isoformat(): rows for day in self._days()})

    async def _index(self, request: web.Request) -> web.Response:
        year = int(request.match_info["year"])
        days = [day for day in self._days() if day.year == year]
        if not days:
            return error_answer(404, "Not found")
        folder = f"{request.url.origin()}/market-history/{year}"
        names = [(day, f"market-history-{day}.csv.bz2") for day in days]
        files = [
            {"name": name, "url": f"{folder}/{name}", "last_modified": f"{day + timedelta(days=1)}T11:35:00Z"}
            for day, name in names
        ]
        return json_answer({"path": f"/market-history/{year}", "url": folder, "files": files, "directories": []})

    async def _day(self, request: web.Request) -> web.Response:
        try:
            day = date.fromisoformat(request.match_info["day"])
        except ValueError:
            return error_answer(404, "Not found")
        if str(day.year) != request.match_info["year"] or not _FIRST_DAY <= day < self._today():
            return error_answer(404, "Not found")
        body = await asyncio.to_thread(self._file, day)
        return web.Response(body=body, content_type="application/x-bzip2")

    def _file(self, day: date) -> bytes:
        text = io.StringIO()
        out = csv.DictWriter(text, _COLUMNS, lineterminator="\n")
        out.writeheader()
        for kind in self._market.traded:
            for region_id in _REGIONS:
                out.writerow(
                    {
                        **self._market.day_of(kind, region_id, day),
                        "http_last_modified": f"{day}T11:05:00Z",
                        "region_id": region_id,
                        "type_id": kind.type_id,
                        "source": MADE_UP,
                    }
                )
        return bz2.compress(text.getvalue().encode(), 1)
