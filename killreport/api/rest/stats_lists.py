"""The top lists of `/api/stats`, in the order and with the keys that their readers count on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from killreport.api.context import ApiContext
from killreport.api.entity.named import NamedEntity, find_named
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
    named = iter(await find_named(context, [(kind, top.entity_id) for _, _, kind, found in lists for top in found]))
    written = [
        {"type": word, "title": title, "values": [_line(word, top, next(named)) for top in found]}
        for word, title, _, found in lists
    ]
    word, title = LOCATIONS
    return [*written, {"type": word, "title": title, "values": []}]


def _line(word: str, top: Top, entity: NamedEntity | None) -> dict[str, Any]:
    name = None if entity is None else entity.name
    return {
        "kills": top.killmails,
        f"{word}ID": top.entity_id,
        _NAMES.get(word, f"{word}Name"): name,
        **_more(word, entity),
        "id": top.entity_id,
        "typeID": None,
        "name": name,
    }


def _more(word: str, entity: NamedEntity | None) -> dict[str, Any]:
    if word in _TICKERS:
        return {_TICKERS[word]: getattr(entity, "ticker", None)}
    if isinstance(entity, TypeView) and entity.group is not None:
        return {"groupID": entity.group.id, "groupName": entity.group.name}
    if isinstance(entity, SolarSystemView):
        region, constellation = entity.region, entity.constellation
        return {
            "solarSystemSecurity": None if entity.security is None else f"{entity.security:.1f}",
            "regionID": None if region is None else region.id,
            "regionName": None if region is None else region.name,
            "constellationID": None if constellation is None else constellation.id,
            "constellationName": None if constellation is None else constellation.name,
        }
    return {}
