"""`/history/…`: the killmails of each day, with their hashes and with their bodies.

Source: zKillboard's `cron/9.dayDump.php`.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime

import msgspec
from starlette.responses import Response

from killreport.answering import tagged
from killreport.api.rest.endpoint import json_answer
from killreport.api.rest.rate_limit import LINES_A_COST, RestLimiter, RestRequest
from killreport.clock import is_nameable
from killreport.door.streams import PlacedStream
from killreport.errors import NotFound
from killreport.killmail.shown.days import count_day, count_days, hashes_of_day, killmails_of_day
from killreport.killmail.shown.esi_body import FullKillmail, esi_body

# A day changes whenever a late killmail of it comes in.
CACHE = "public, max-age=60"
_DAY = "%Y%m%d"


async def answer_totals(request: RestRequest) -> Response:
    """Answer how many killmails each day has."""
    async with request.context.database.connection() as connection:
        days = await count_days(connection)
    await request.pay(len(days) // LINES_A_COST)
    return tagged(request.http, json_answer({day.strftime(_DAY): count for day, count in days.items()}, cache=CACHE))


async def answer_hashes(request: RestRequest) -> Response:
    """Answer the ids and hashes of a day."""
    day = _day(request)
    async with request.context.database.connection() as connection:
        await request.pay(await count_day(connection, day) // LINES_A_COST)
        hashes = await hashes_of_day(connection, day)
    if not hashes:
        raise _nothing(day)
    return tagged(
        request.http, json_answer({str(killmail_id): text for killmail_id, text in hashes.items()}, cache=CACHE)
    )


async def answer_bodies(request: RestRequest) -> Response:
    """Answer the bodies of a day, written while they are read."""
    day = _day(request)
    async with request.context.database.connection() as connection:
        await request.pay_for(await count_day(connection, day))
    pages = killmails_of_day(request.context.database, day)
    first = await anext(pages, None)
    if first is None:
        raise _nothing(day)
    written = _written(first, pages, request.limiter)
    return PlacedStream(request.stream(), written, 200, {"Cache-Control": CACHE}, "application/json")


async def _written(
    first: list[FullKillmail], pages: AsyncIterator[list[FullKillmail]], limiter: RestLimiter
) -> AsyncIterator[bytes]:
    yield b"{" + _members(first)
    while True:
        # One turn a page: a day takes minutes to whoever reads slowly, and works for a moment now and then.
        async with limiter.turn():
            page = await anext(pages, None)
            if page is None:
                break
            members = _members(page)
        yield b"," + members
    yield b"}"


def _members(page: list[FullKillmail]) -> bytes:
    return msgspec.json.encode({str(killmail.row.killmail_id): esi_body(killmail) for killmail in page})[1:-1]


def _day(request: RestRequest) -> date:
    text = request.given("day") or ""
    try:
        day = datetime.strptime(text, _DAY).replace(tzinfo=UTC).date()
    except ValueError:
        raise NotFound(f"{text[:20]} is not a day: YYYYMMDD is expected") from None
    if not is_nameable(day):
        raise _nothing(day)
    return day


def _nothing(day: date) -> NotFound:
    return NotFound(f"no killmails of {day:%Y-%m-%d} are stored")
