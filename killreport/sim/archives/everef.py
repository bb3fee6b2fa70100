"""EVE Ref's archive of market history: a compressed table a day, with the figures that ESI's history has.

Source: https://docs.everef.net/datasets/market-history.html
"""

from __future__ import annotations

import asyncio
import bz2
import csv
import io
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

from aiohttp import web

from killreport.eve.universe import Type
from killreport.market.regions import THE_FORGE, regions_apart
from killreport.sim.answers import ErrorAnswer, route
from killreport.sim.simulator import Simulator
from killreport.sim.world.market import MADE_UP

_FIRST_DAY = date(2003, 10, 1)
# Another than The Forge, which a reader has to leave aside: there every so many types are traded.
_OTHER_REGION, _EVERY = 10000043, 10
_OF_DAY = ("average", "date", "highest", "lowest", "order_count", "volume")
# EVE Ref has no last column: it says that the file is made up.
_COLUMNS = (*_OF_DAY, "http_last_modified", "region_id", "type_id", "source")


class EveRef:
    """The routes below /market-history."""

    def __init__(self, simulator: Simulator) -> None:
        self._market = simulator.market
        self._now = simulator.now

    def routes(self) -> list[web.RouteDef]:
        """Return the routes."""
        return [
            route("GET", "/market-history/totals.json", self._totals),
            route("GET", r"/market-history/{year:\d{4}}/index.json", self._index),
            route("GET", r"/market-history/{year:\d{4}}/market-history-{day:\d{4}-\d\d-\d\d}.csv.bz2", self._day),
        ]

    def _days(self) -> list[date]:
        """Return the days there are: all up to yesterday."""
        return [_FIRST_DAY + timedelta(days=after) for after in range((self._today() - _FIRST_DAY).days)]

    def _today(self) -> date:
        return datetime.fromtimestamp(self._now(), UTC).date()

    def _totals(self, _request: web.Request) -> dict[str, int]:
        rows = sum(1 for _ in self._traded(self._today()))
        return {day.isoformat(): rows for day in self._days()}

    def _index(self, request: web.Request) -> dict[str, object]:
        year = int(request.match_info["year"])
        days = [day for day in self._days() if day.year == year]
        if not days:
            raise ErrorAnswer(404, "Not found")
        folder = f"{request.url.origin()}/market-history/{year}"
        names = [(day, f"market-history-{day}.csv.bz2") for day in days]
        files = [
            {"name": name, "url": f"{folder}/{name}", "last_modified": f"{day + timedelta(days=1)}T11:35:00Z"}
            for day, name in names
        ]
        return {"path": f"/market-history/{year}", "url": folder, "files": files, "directories": []}

    async def _day(self, request: web.Request) -> web.Response:
        try:
            day = date.fromisoformat(request.match_info["day"])
        except ValueError:
            raise ErrorAnswer(404, "Not found") from None
        if str(day.year) != request.match_info["year"] or not _FIRST_DAY <= day < self._today():
            raise ErrorAnswer(404, "Not found")
        body = await asyncio.to_thread(self._file, day)
        return web.Response(body=body, content_type="application/x-bzip2")

    def _file(self, day: date) -> bytes:
        text = io.StringIO()
        out = csv.writer(text, lineterminator="\n")
        out.writerow(_COLUMNS)
        modified = f"{day}T11:05:00Z"
        for kind, region_id in self._traded(day):
            row = self._market.day_of(kind, region_id, day)
            out.writerow([*(row[name] for name in _OF_DAY), modified, region_id, kind.type_id, MADE_UP])
        return bz2.compress(text.getvalue().encode(), 1)

    def _traded(self, day: date) -> Iterator[tuple[Type, int]]:
        """Yield what is traded on the day, with where: each type in the region that has its market, some elsewhere."""
        apart = regions_apart(day)
        for kind in self._market.traded:
            yield kind, apart.get(kind.type_id, THE_FORGE)
            if kind.type_id % _EVERY == 0:
                yield kind, _OTHER_REGION
