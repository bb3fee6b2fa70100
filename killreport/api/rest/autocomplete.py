"""`/autocomplete/…`: names that begin with a text, in zKillboard's two shapes.

Source: zKillboard's `classes/zkbSearch.php` and `view/search2020.php`, read 2026-11-30.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Mapping
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import Response

from killreport.api.rest.endpoint import json_answer
from killreport.api.rest.rate_limit import RestRequest
from killreport.errors import Malformed
from killreport.eve.universe import Universe
from killreport.search.model import MAX_CHARACTERS, Hit, SearchKind

CACHE = "public, max-age=60"
FOUND_COST = 10
MAX_FOUND = 15
MAX_FORM_BYTES = 4_000
FORM: Final = "application/x-www-form-urlencoded"
_IMAGES = "https://images.evetech.net"
# The word of each kind, and where its image is.
_TYPES: Mapping[SearchKind, tuple[str, str]] = {
    SearchKind.CHARACTER: ("character", "characters/{}/portrait"),
    SearchKind.CORPORATION: ("corporation", "corporations/{}/logo"),
    SearchKind.ALLIANCE: ("alliance", "alliances/{}/logo"),
    SearchKind.FACTION: ("faction", "corporations/{}/logo"),
    SearchKind.SHIP_TYPE: ("ship", "types/{}/icon"),
    SearchKind.TYPE: ("item", "types/{}/icon"),
    SearchKind.GROUP: ("group", ""),
    SearchKind.SOLAR_SYSTEM: ("system", ""),
    SearchKind.CONSTELLATION: ("constellation", ""),
    SearchKind.REGION: ("region", ""),
}
# What `/autocomplete/KIND/TEXT/` may name.
KINDS: Mapping[str, tuple[SearchKind, ...]] = {
    "characterID": (SearchKind.CHARACTER,),
    "corporationID": (SearchKind.CORPORATION,),
    "allianceID": (SearchKind.ALLIANCE,),
    "factionID": (SearchKind.FACTION,),
    "typeID": (SearchKind.SHIP_TYPE, SearchKind.TYPE),
    "shipTypeID": (SearchKind.SHIP_TYPE,),
    "groupID": (SearchKind.GROUP,),
    "solarSystemID": (SearchKind.SOLAR_SYSTEM,),
    "systemID": (SearchKind.SOLAR_SYSTEM,),
    "constellationID": (SearchKind.CONSTELLATION,),
    "regionID": (SearchKind.REGION,),
}


async def answer_found(request: RestRequest) -> Response:
    """Answer a list, the best first. The text is part of the path."""
    return json_answer(await _listed(request, request.given("text")), cache=CACHE)


async def answer_posted(request: RestRequest) -> Response:
    """Answer a list for the field `query` of a form."""
    return json_answer(await _listed(request, await _posted(request.http)))


async def answer_suggestions(request: RestRequest) -> Response:
    """Answer suggestions for the parameter `query`, as the widget of zKillboard's pages reads them."""
    listed = await _listed(request, request.given("query"))
    suggestions = [
        {
            "value": found["name"],
            # The widget knows no page of items.
            "data": {"type": kind, "groupBy": f"{kind}s", "id": found["id"]},
        }
        for found in listed
        for kind in ["ship" if found["type"] == "item" else found["type"]]
    ]
    return json_answer({"suggestions": suggestions}, cache=CACHE)


async def _listed(request: RestRequest, text: str | None) -> list[dict[str, Any]]:
    if not text:
        raise Malformed("a text of at least one letter is needed", "query")
    if len(text) > MAX_CHARACTERS:
        raise Malformed(f"a text of at most {MAX_CHARACTERS} letters is needed", "query")
    name = request.given("kind")
    if name is not None and name not in KINDS:
        raise Malformed(f"one of {', '.join(KINDS)} is needed", "kind")
    await request.pay(FOUND_COST)
    context = request.context
    kinds = tuple(SearchKind) if name is None else KINDS[name]
    async with context.database.connection() as connection:
        hits = await context.search.find(connection, text, kinds=kinds, limit=MAX_FOUND)
    return [_found(hit, context.views.universe) for hit in hits]


def _found(hit: Hit, universe: Universe) -> dict[str, Any]:
    word, image = _TYPES[hit.kind]
    name = hit.name
    if hit.kind is SearchKind.SOLAR_SYSTEM:
        system = universe.systems.get(hit.id)
        region = None if system is None else universe.regions.get(system.region_id)
        name = name if region is None else f"{name} ({region.name})"
    address = f"{_IMAGES}/{image.format(hit.id)}?size=32" if image else ""
    return {"id": hit.id, "name": name, "type": word, "image": address}


async def _posted(request: Request) -> str:
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != FORM:
        raise Malformed(f"a form is needed, {FORM}", "the body")
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            raise Malformed(f"a form of at most {MAX_FORM_BYTES} bytes is needed", "the body")
    try:
        fields = urllib.parse.parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=10, errors="strict")
    except ValueError:
        raise Malformed("a form in UTF-8 is needed", "the body") from None
    given = [value for name, value in fields if name == "query"]
    if len(fields) != 1 or len(given) != 1 or "\0" in given[0]:
        raise Malformed("one field `query` is needed, and no other", "the body")
    return given[0]
