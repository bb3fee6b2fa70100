"""ESI's prices: one for every type, and a year of daily history that swings around it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

from killreport.eve.universe import Type
from killreport.ids import read_whole
from killreport.sim.chance import fraction, mix
from killreport.sim.esi import Call, EsiError, Route
from killreport.sim.simulator import Simulator

_HISTORY_DAYS = 365
# Guesses where the static data has no base price, by meta group.
_GUESSES = {2: 1_500_000.0, 4: 40_000_000.0, 5: 900_000_000.0, 6: 150_000_000.0}

Body = dict[str, Any]


class Market:
    """Answers about prices, in ISK."""

    def __init__(self, simulator: Simulator) -> None:
        self._universe = simulator.universe
        self._now = simulator.now

    def routes(self) -> list[Route]:
        """Return the routes."""
        return [
            Route("GET", "/markets/prices", self._prices, 3600),
            Route("GET", r"/markets/{id:\d+}/history", self._history, 86_400),
        ]

    async def _prices(self, call: Call) -> list[Body]:
        del call
        rows = []
        for kind in self._universe.types.values():
            if kind.is_published and kind.market_group_id is not None:
                price = _price(kind)
                rows.append({"adjusted_price": price, "average_price": price, "type_id": kind.type_id})
        return rows

    async def _history(self, call: Call) -> list[Body]:
        region_id = call.number("id")
        text = call.request.query.get("type_id", "")
        type_id = read_whole(text)
        if type_id is None:
            raise EsiError(400, "type_id is required")
        kind = self._universe.types.get(type_id)
        if region_id not in self._universe.regions or kind is None or kind.market_group_id is None:
            raise EsiError(404, "Type not found!")
        # Yesterday is the last day that is over; CCP adds it after the downtime.
        last = (datetime.fromtimestamp(self._now(), UTC) - timedelta(hours=11, minutes=5)).date() - timedelta(days=1)
        days = [last - timedelta(days=back) for back in range(_HISTORY_DAYS - 1, -1, -1)]
        return [market_day(kind, region_id, day) for day in days]


def market_day(kind: Type, region_id: int, day: date) -> Body:
    """Return how the type was traded in the region on a day, as ESI writes it."""
    ordinal = day.toordinal()
    average = round(_price(kind) * (0.9 + 0.2 * fraction(130, kind.type_id, region_id, ordinal)), 2)
    return {
        "average": average,
        "date": day.isoformat(),
        "highest": round(average * 1.05, 2),
        "lowest": round(average * 0.95, 2),
        "order_count": 1 + mix(131, kind.type_id, ordinal) % 200,
        "volume": 1 + mix(132, kind.type_id, ordinal) % 50_000,
    }


def _price(kind: Type) -> float:
    return kind.base_price or _GUESSES.get(kind.meta_group_id or 0, 20_000.0)
