"""`/api/…/`: zKillboard's lists of killmails, whole ESI bodies with the `zkb` block inside.

Source: zKillboard's `view/api.php`; since 2026-06-27 its lists carry the whole killmail again.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.responses import Response

from killreport.answering import tagged
from killreport.api.rest.csv_answer import killmails_as_csv
from killreport.api.rest.endpoint import json_answer
from killreport.api.rest.formats import CSV
from killreport.api.rest.modifiers import Query, read_modifiers
from killreport.api.rest.rate_limit import LINES_A_COST, RestRequest
from killreport.api.views.killmail import load_views
from killreport.clock import utc_now
from killreport.db.database import Connection
from killreport.errors import Malformed, Refused
from killreport.eve.universe import Universe
from killreport.killmail.filters.tree import KillmailFilter
from killreport.killmail.lists.numbered import MAX_PAGES, PAGE, NumberedPages
from killreport.killmail.shown.esi_body import FullKillmail, esi_body, load_full_killmails, zkb_block
from killreport.killmail.stored.queries import KillmailRow, get_killmails

CACHE = "public, max-age=60"

_FINAL_BLOW = {
    "characterID": "final_blow_character_id",
    "corporationID": "final_blow_corporation_id",
    "allianceID": "final_blow_alliance_id",
    "factionID": "final_blow_faction_id",
    "shipTypeID": "final_blow_ship_type_id",
}


class KillmailLists:
    """Answers lists; keep one for the process, it remembers where pages end."""

    def __init__(self) -> None:
        self._pages = NumberedPages()

    async def answer(self, request: RestRequest) -> Response:
        """Answer a path of modifiers."""
        query = read_modifiers(request.given("modifiers") or "")
        is_csv = request.media == CSV
        if is_csv and (unfit := sorted(query.flags & {"zkbOnly", "pretty"})):
            raise Refused(f"{' and '.join(unfit)} cannot be CSV: leave it out, or ask for JSON")
        context = request.context
        # At worst everything before the page is read to find it.
        await request.pay(min(query.page, MAX_PAGES) * PAGE // LINES_A_COST)
        paid = await request.pay_for(1 if query.killmail_id is not None else PAGE)
        async with context.database.connection() as connection:
            rows = await self._rows(connection, query, context.views.universe)
            full = [] if is_csv else await load_full_killmails(connection, rows)
        await paid.settle(len(rows))
        if is_csv:
            views = await load_views(context.database, context.views, rows)
            return tagged(request.http, killmails_as_csv(views, cache=CACHE))
        found = [_element(killmail, query) for killmail in full]
        return tagged(request.http, json_answer(found, cache=CACHE, pretty="pretty" in query.flags))

    async def _rows(self, connection: Connection, query: Query, universe: Universe) -> list[KillmailRow]:
        killmail_id = query.killmail_id
        if killmail_id is not None:
            return await get_killmails(connection, [killmail_id]) if query.page == 1 else []
        try:
            wanted = KillmailFilter.read(query.plain_filter(utc_now()))
        except Malformed as error:
            raise Refused(f"A value of this call is not valid: {error.reason}") from None
        return await self._pages.read(connection, wanted, query.page, _final_blow(query, universe))


def _final_blow(query: Query, universe: Universe) -> tuple[str, Callable[[KillmailRow], bool]] | None:
    """Return the condition that all parties asked for struck the final blow, where it is one."""
    if "finalblow-only" not in query.flags:
        return None
    parties = {name: frozenset(ids) for name, ids in query.parties.items()}

    def passes(row: KillmailRow) -> bool:
        return all(_striker(row, name, universe) in ids for name, ids in parties.items())

    return "final blow", passes


def _striker(row: KillmailRow, name: str, universe: Universe) -> int | None:
    if name == "groupID":
        type_id = row.final_blow_ship_type_id
        return None if type_id is None else universe.group_id_of(type_id)
    found: int | None = getattr(row, _FINAL_BLOW[name])
    return found


def _element(killmail: FullKillmail, query: Query) -> dict[str, Any]:
    if "zkbOnly" in query.flags:
        return {"killmail_id": killmail.row.killmail_id, "zkb": zkb_block(killmail)}
    body = esi_body(killmail)
    if "no-items" in query.flags:
        del body["victim"]["items"]
    if "no-attackers" in query.flags:
        del body["attackers"]
    return {**body, "zkb": zkb_block(killmail)}
