"""The top lists of `/api/stats`, in the order and with the keys that their readers count on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.entity.things import Thing, Things, load_things
from killreport.api.views.universe import SolarSystemView, TypeView
from killreport.entity.kind import EntityKind
from killreport.leaderboard.own import OwnTops
from killreport.leaderboard.tops import Top

# Readers take a list by its place, so none may be missing: locations have no names here, and their list is empty.
LISTS = (
    ("character", "Top Characters", EntityKind.CHARACTER, "characters"),
    ("corporation", "Top Corporations", EntityKind.CORPORATION, "corporations"),
    ("alliance", "Top Alliances", EntityKind.ALLIANCE, "alliances"),
    ("shipType", "Top Ships", EntityKind.SHIP_TYPE, "ship_types"),
    ("solarSystem", "Top Systems", EntityKind.SOLAR_SYSTEM, "solar_systems"),
)
LOCATIONS = ("location", "Top Locations")
_NAMES = {"shipType": "shipName"}
_TICKERS = {"corporation": "cticker", "alliance": "aticker"}


async def load_top_lists(context: ApiContext, tops: OwnTops) -> list[dict[str, Any]]:
    """Return the lists with the names of what they list."""
    lists: list[tuple[str, str, EntityKind, Sequence[Top]]] = [
        (word, title, kind, getattr(tops, name)) for word, title, kind, name in LISTS
    ]
    things = await load_things(context, [(kind, top.entity_id) for _, _, kind, found in lists for top in found])
    written = [
        {"type": word, "title": title, "values": [_line(word, top, kind, things) for top in found]}
        for word, title, kind, found in lists
    ]
    word, title = LOCATIONS
    return [*written, {"type": word, "title": title, "values": []}]


def _line(word: str, top: Top, kind: EntityKind, things: Things) -> dict[str, Any]:
    thing = things.find(kind, top.entity_id)
    name = None if thing is None else thing.name
    return {
        "kills": top.killmails,
        f"{word}ID": top.entity_id,
        _NAMES.get(word, f"{word}Name"): name,
        **_more(word, thing),
        "id": top.entity_id,
        "typeID": None,
        "name": name,
    }


def _more(word: str, thing: Thing | None) -> dict[str, Any]:
    if word in _TICKERS:
        return {_TICKERS[word]: getattr(thing, "ticker", None)}
    if isinstance(thing, TypeView) and thing.group is not None:
        return {"groupID": thing.group.id, "groupName": thing.group.name}
    if isinstance(thing, SolarSystemView):
        region, constellation = thing.region, thing.constellation
        return {
            "solarSystemSecurity": None if thing.security is None else f"{thing.security:.1f}",
            "regionID": None if region is None else region.id,
            "regionName": None if region is None else region.name,
            "constellationID": None if constellation is None else constellation.id,
            "constellationName": None if constellation is None else constellation.name,
        }
    return {}
