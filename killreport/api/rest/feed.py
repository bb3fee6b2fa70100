"""The board's own feeds: of what is live, in the shape of zKillboard's R2Z2, and of everything, as pages.

Numbers have no holes and never expire. A live killmail has one number of the live feed for ever; what it holds is told
at the time it is read, and a later package names an older number whose contents are other than before. The feed of
everything publishes a killmail again when it changes, and says of each package whether it is live, history or changed.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import msgspec
from starlette.responses import Response

from killreport.answering import tagged
from killreport.api.rest.endpoint import json_answer
from killreport.api.rest.formats import NDJSON
from killreport.api.rest.rate_limit import RestRequest
from killreport.clock import utc_now
from killreport.db.database import Connection
from killreport.errors import Malformed, NotFound
from killreport.killmail.shown.package import MARKS, list_marked_packages, list_packages
from killreport.killmail.stored.event import SETTLED_AFTER, Kind
from killreport.killmail.stored.published import KINDS, next_sequence

# Until it is settled a number may be rewritten and named by the very next package: a copy is asked for again each time.
OPEN = "public, no-cache"
# Afterwards nothing names it any more, and it may be a day behind what the feed of everything tells.
SETTLED = "public, max-age=86400"
DEFAULT_LIMIT = 100
STEP = 100


async def answer_sequence(request: RestRequest) -> Response:
    """Answer the newest number; 1, which will be the first, where there is none yet."""
    async with request.context.database.connection() as connection:
        upcoming = await next_sequence(connection)
    return json_answer({"sequence": max(upcoming - 1, 1)})


async def answer_package(request: RestRequest) -> Response:
    """Answer the package of a number. Raises NotFound where it is not there yet."""
    sequence = request.number("sequence")
    await request.pay_for(1)
    async with request.context.database.connection() as connection:
        found = await list_packages(connection, sequence, 1)
    if not found:
        raise NotFound(f"{sequence} is not published yet")
    return tagged(request.http, json_answer(found[0], cache=SETTLED if _is_settled(found[0]) else OPEN))


def _is_settled(package: dict[str, Any]) -> bool:
    return utc_now() - datetime.fromtimestamp(package["uploaded_at"], UTC) > SETTLED_AFTER


async def _packages(connection: Connection, first: int, limit: int, kinds: Collection[Kind]) -> list[dict[str, Any]]:
    """Return the packages in steps, between which others have the loop: a thousand take a second to make."""
    found: list[dict[str, Any]] = []
    while len(found) < limit:
        step = await list_marked_packages(connection, first, min(STEP, limit - len(found)), kinds)
        if not step:
            break
        found += step
        first = step[-1]["sequence_id"] + 1
    return found


async def answer_page(request: RestRequest) -> Response:
    """Answer the packages after a number, as one JSON object or as lines."""
    after, limit = request.number("after", -1), request.number("limit", DEFAULT_LIMIT)
    kinds = _kinds(request.given("kind"))
    paid = await request.pay_for(limit)
    async with request.context.database.connection() as connection:
        packages = await _packages(connection, after + 1, limit, kinds)
    await paid.settle(len(packages))
    newest = packages[-1]["sequence_id"] if packages else after
    # A full page never changes but in the figures beside its killmails, and tells of those itself, later on.
    cache = "public, max-age=3600" if len(packages) == limit else "no-store"
    if request.media == NDJSON:
        headers = {"Cache-Control": cache, "X-Next-After": str(newest)}
        return Response(msgspec.json.Encoder().encode_lines(packages), 200, headers, NDJSON)
    found = {"packages": packages, "next_after": newest if newest >= 0 else None}
    return json_answer(found, cache=cache)


def _kinds(text: str | None) -> Collection[Kind]:
    """Return the kinds a caller listed, all where none is. Raises Malformed."""
    if text is None:
        return KINDS
    wanted = set(text.split(","))
    if not wanted <= set(MARKS.values()):
        raise Malformed("one or more of live, history and changed are needed, separated by commas", "kind")
    return [kind for kind, mark in MARKS.items() if mark in wanted]
