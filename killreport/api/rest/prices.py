"""`/api/prices/ID/`: what a type was worth day by day, in zKillboard's shape. Source: its `view/apiprices.php`."""

from __future__ import annotations

from datetime import date

from starlette.responses import Response

from killreport.answering import tagged
from killreport.api.rest.csv_answer import csv_answer
from killreport.api.rest.endpoint import json_answer
from killreport.api.rest.formats import CSV
from killreport.api.rest.rate_limit import RestRequest
from killreport.clock import utc_now
from killreport.errors import NotFound
from killreport.market.history import list_prices

CACHE = "public, max-age=3600"
PRICES_COST = 20
_BEGINNING = date(2003, 5, 6)


async def answer_prices(request: RestRequest) -> Response:
    """Answer the market days and today's price of a type; null where none is known. Raises NotFound for no type."""
    type_id, context = request.number("id"), request.context
    if type_id not in context.views.universe.types:
        raise NotFound(f"There is no type {type_id}.")
    await request.pay(PRICES_COST)
    today = utc_now().date()
    price = (await context.prices.prices({type_id}, today))[type_id]
    async with context.database.connection() as connection:
        days = await list_prices(connection, type_id, first=_BEGINNING, last=today)
    if request.media == CSV:
        rows = [(f"{day.day}", f"{day.average_cents / 100:.2f}") for day in days]
        return tagged(request.http, csv_answer(("day", "average_isk"), rows, name=f"prices-{type_id}", cache=CACHE))
    found = {
        "typeID": type_id,
        **{f"{day.day}": day.average_cents / 100 for day in days},
        "currentPrice": price.cents / 100 if price.is_known else None,
    }
    return tagged(request.http, json_answer(found, cache=CACHE))
