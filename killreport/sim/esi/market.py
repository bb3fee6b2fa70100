"""ESI's prices: one for every type that is traded, and a year of daily history."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from killreport.ids import read_whole
from killreport.sim.answers import ErrorAnswer
from killreport.sim.esi.answering import Call, Route
from killreport.sim.simulator import Simulator
from killreport.sim.world.market import MADE_UP

_HISTORY_DAYS = 365

Body = dict[str, Any]


class Market:
    """Answers about prices, in ISK. Each says in a key of its own, which ESI has not, that it is made up."""

    def __init__(self, simulator: Simulator) -> None:
        self._universe = simulator.universe
        self._market = simulator.market
        self._now = simulator.now

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/markets/prices", self._prices, 3600),
            Route("GET", r"/markets/{id:\d+}/history", self._history, 86_400),
        ]

    def _prices(self, _call: Call) -> list[Body]:
        today = self._today()
        rows = []
        for kind in self._market.traded:
            price = self._market.price_in(kind, 0, today)
            rows.append({"adjusted_price": price, "average_price": price, "type_id": kind.type_id, "source": MADE_UP})
        return rows

    def _history(self, call: Call) -> list[Body]:
        region_id = call.number("id")
        text = call.request.query.get("type_id", "")
        type_id = read_whole(text)
        if type_id is None:
            raise ErrorAnswer(400, "type_id is required")
        kind = self._universe.types.get(type_id)
        if region_id not in self._universe.regions or kind is None or kind.market_group_id is None:
            raise ErrorAnswer(404, "Type not found!")
        # Yesterday is the last day that is over; CCP adds it after the downtime.
        last = self._today(timedelta(hours=11, minutes=5)) - timedelta(days=1)
        days = [last - timedelta(days=back) for back in range(_HISTORY_DAYS - 1, -1, -1)]
        return [self._market.day_of(kind, region_id, day) for day in days]

    def _today(self, late: timedelta = timedelta()) -> date:
        return (datetime.fromtimestamp(self._now(), UTC) - late).date()
